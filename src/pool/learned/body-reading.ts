/**
 * Does PHP read the body of a POST before its script starts? It does, but where php.ini has `enable_post_data_reading = 0` or a
 * small `post_max_size`; and nothing on the wire tells one from the other. Where it does not, a worker that dies in the script leaves
 * the body unread, and that looks as if nobody had read the request. So one that is lost in that way is sent again as one with a
 * body that PHP leaves unread is: behind a worker's answer to FCGI_GET_VALUES. Where it is lost there once more, a worker had it (before
 * PHP 8.2, which closes behind that answer, it is taken for granted), and for a while no body is taken to be read first: of an Upstream by none of its servers, as they are set up alike, and a request that
 * one has had goes to another.
 *
 * A request may say so as well, by PHP_VALUE or PHP_ADMIN_VALUE. PHP-FPM keeps that for all that its worker runs afterwards. Nobody tells
 * which worker that is, nor when it ends: so from then on no body is taken to be read first, whatever the options say.
 */
/** ms. It costs such requests some speed, and php.ini may have been set right. */
const DOUBTED_FOR = 10 * 60_000;

export class BodyReading {
  #doubtedUntil = Number.NEGATIVE_INFINITY;
  #isChanged = false;

  /** A request has told a worker when to read bodies. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  changed(): void {
    this.#isChanged = true;
  }

  /** `now`: ms, by the pool's clock. */
  isDoubted(now: number): boolean {
    return now < this.#doubtedUntil;
  }

  /** See Exchange.isBodyLeft. */
  bodyLeft(now: number): void {
    this.#doubtedUntil = now + DOUBTED_FOR;
  }
}
