/**
 * When to send the empty STDIN record. Once it has been sent, a reset proves nothing any more (see evidence.ts). PHP-FPM
 * never waits for it, so there it is held back, and as long as nothing speaks against PHP-FPM; others may wait, for some
 * requests or for all, so there it is sent at once, at the end of the request.
 *
 * Of a server that is not known yet a silence of `delay` sends the record, and is a reason to ask it what it is: see
 * BackendCheck. An answer right behind the record is a reason as well, but no more: a page that takes as long as the record is held
 * back, as one does that waits for news for 5 s, comes just then each time.
 */
import type { Exchange } from '../../connection/exchange.ts';

/** An answer within so many ms of the record may have waited for it. */
const JUST_AFTER = 25;
/**
 * ms, for PHP-FPM. Not for ever: behind one address there may be several servers. A request that waits for longer (in
 * the backlog, or for a worker that takes its time to exit) while php-fpm is reloaded would be failed, and had not run.
 */
const LONG = 5_000;
/**
 * The same on a kept connection, whose server is the one that has answered on it. What a script has started in the background (`exec("... &")`) has
 * its connection open, too: where the worker leaves, at a reload say, nobody reads a request that is on it, and it is reset only when that program ends.
 */
const LONG_KEPT = 30_000;

export class Terminator {
  readonly #delay: number;

  /** `delay` in ms; 0: at once, always. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** ms of silence after which the record goes out by itself. `isKept`: the connection has had an answer before. */
  delay(isPhpFpm: boolean, isKept: boolean): number {
    if (!isPhpFpm) return this.#delay;
    return Math.max(isKept ? LONG_KEPT : LONG, this.#delay);
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
