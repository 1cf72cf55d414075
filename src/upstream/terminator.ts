/**
 * When to send the empty STDIN record. PHP-FPM never waits for it, so it is held back (see evidence.ts); a server
 * that reads to the end of its input would answer only after the delay. The pool notices: if the first answers it
 * gets all come just after the record, and none before it, it sends the record at once. Now and then it holds it
 * back again, and one answer before the record is enough to go back.
 */
import type { Exchange } from '../connection/exchange.ts';

/** So many answers in a row, each within so many ms of the record, are no chance. */
const ANSWERS = 4;
const JUST_AFTER = 25;
const TRY_EVERY = 100;

export class Terminator {
  /** ms; 0: at once, always. */
  readonly delay: number;
  #justAfter = 0;
  #sinceTry = 0;
  #notNeeded = false;

  constructor(delay: number) {
    this.delay = delay;
  }

  /** Is the record sent together with the next request? */
  atOnce(): boolean {
    if (this.delay === 0) return true;
    if (this.#justAfter < ANSWERS) return false;
    this.#sinceTry = (this.#sinceTry + 1) % TRY_EVERY;
    return this.#sinceTry !== 0;
  }

  /** A first byte has come. */
  answered(exchange: Exchange): void {
    if (this.#notNeeded || this.delay === 0 || exchange.terminatorAfter === 0) return;
    if (!exchange.terminatorSent) {
      // It answered without: it does not need it, and never will.
      this.#notNeeded = true;
      this.#justAfter = 0;
      return;
    }
    const after = exchange.firstByteAfter - exchange.terminatorAfter;
    this.#justAfter = after <= JUST_AFTER ? this.#justAfter + 1 : 0;
  }
}
