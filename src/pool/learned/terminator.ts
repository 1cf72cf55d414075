/**
 * When to send the empty STDIN record. PHP-FPM never waits for it, so it is held back (see evidence.ts); a server
 * that reads to the end of its input would answer only after the delay. The pool notices: if the first answers it
 * gets all come just after the record, and none before it, it sends the record at once. Now and then it holds it
 * back again, and one answer before the record is enough to go back.
 *
 * Once the record has been sent, a reset proves nothing any more. So a server that has answered without it gets it only
 * after a silence of seconds: a request that waits for longer than the delay (in the backlog, or for a worker that
 * takes its time to exit) while php-fpm is reloaded or restarted would be failed, and had not run.
 */
import type { Exchange } from '../../connection/exchange.ts';

/** So many answers in a row, each within so many ms of the record, are no chance. */
const ANSWERS = 4;
const JUST_AFTER = 25;
const TRY_EVERY = 100;
/** ms, for a server that has answered without. Not for ever: behind one address there may be several. */
const LONG = 5_000;
/** So many answers just after so long a silence are no chance either: some of its scripts do wait for the record. */
const STRIKES = 2;

export class Terminator {
  readonly #delay: number;
  #justAfter = 0;
  #sinceTry = 0;
  #notNeeded = false;
  #strikes = 0;

  /** `delay` in ms; 0: at once, always. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** ms of silence after which the record goes out by itself. */
  get delay(): number {
    return this.#notNeeded && this.#strikes < STRIKES ? Math.max(LONG, this.#delay) : this.#delay;
  }

  /** Is the record sent together with the next request? */
  atOnce(): boolean {
    if (this.#delay === 0) return true;
    if (this.#justAfter < ANSWERS) return false;
    this.#sinceTry = (this.#sinceTry + 1) % TRY_EVERY;
    return this.#sinceTry !== 0;
  }

  /** A first byte has come. */
  answered(exchange: Exchange): void {
    if (this.#delay === 0 || exchange.terminatorAfter === 0) return;
    if (!exchange.terminatorSent) {
      // It answered without: it does not need it, and never will.
      this.#notNeeded = true;
      this.#justAfter = 0;
      return;
    }
    const isJustAfter = exchange.firstByteAfter - exchange.terminatorAfter <= JUST_AFTER;
    if (!this.#notNeeded) this.#justAfter = isJustAfter ? this.#justAfter + 1 : 0;
    else if (isJustAfter && exchange.terminatorAfter >= LONG) this.#strikes++;
  }
}
