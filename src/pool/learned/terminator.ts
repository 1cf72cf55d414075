/**
 * When to send the empty STDIN record. Once it has been sent, a reset proves nothing any more (see evidence.ts). PHP-FPM
 * never waits for it, so there it is held back, and as long as nothing speaks against PHP-FPM; others may wait, for some
 * requests or for all, so there it is sent at once, at the end of the request.
 *
 * Of a server that is not known yet a silence of `delay` sends the record, and is a reason to ask it what it is: see
 * BackendCheck. An answer right behind the record is a reason as well, but no more: a page that takes as long as the record is held
 * back, as one may that waits for news, comes just then each time.
 */
import type { Exchange } from '../../connection/exchange.ts';

/** An answer within so many ms of the record may have waited for it. */
const JUST_AFTER = 25;
/**
 * ms, for PHP-FPM: the record goes out so long before `headersTimeout`, as another server may have taken the address over, or be one of several
 * behind it, and is to have the time to answer.
 */
const BEFORE_TIMEOUT = 5_000;
/**
 * ms: by default, and at the latest. So late, as the record may harm: unread at a worker that leaves behind its answer (a reload lets it finish
 * that), it makes a reset of its end, which over tcp takes along what our kernel has not had of the answer by then. And a request that waits for
 * a worker in the backlog while php-fpm is stopped would be failed, and had not run; as one would that is on a connection which a program in
 * the background (`exec("... &")`) holds behind a worker that has left.
 */
const LONGEST = 60_000 - BEFORE_TIMEOUT;
/** ms: not sooner, however short `headersTimeout` is. */
const LONG = 5_000;

export class Terminator {
  readonly #delay: number;

  /** `delay` in ms; 0: at once, always. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** ms of silence after which the record goes out by itself. `headersTimeout`: of its request, ms; 0: none. */
  delay(isPhpFpm: boolean, headersTimeout: number): number {
    if (!isPhpFpm) return this.#delay;
    const latest = headersTimeout > 0 ? Math.min(headersTimeout - BEFORE_TIMEOUT, LONGEST) : LONGEST;
    return Math.max(LONG, latest, this.#delay);
  }

  /** Is the record sent together with the next request? */
  atOnce(mayBePhpFpm: boolean): boolean {
    return this.#delay === 0 || !mayBePhpFpm;
  }

  /** Has the answer waited for the record, by the looks of it? */
  mayHaveWaited({ terminatorAfter, firstByteAfter }: Exchange): boolean {
    return terminatorAfter >= LONG && firstByteAfter - terminatorAfter <= JUST_AFTER;
  }
}
