/**
 * When to send the empty STDIN record. Once it has been sent, a reset proves nothing any more (see evidence.ts). PHP-FPM
 * never waits for it, so there it is held back, and as long as nothing speaks against PHP-FPM; others may wait, so there
 * it is sent at once, at the end of the request.
 *
 * Where it is held back, the pool looks what comes of it: if the first answers it gets all come just after the record,
 * and none before it, it sends the record at once. Now and then it holds it back again, and one answer before the record
 * is enough to go back.
 */
import type { Exchange } from '../../connection/exchange.ts';

/** So many answers in a row, each within so many ms of the record, are no chance. */
const ANSWERS = 4;
const JUST_AFTER = 25;
const TRY_EVERY = 100;
/**
 * ms, for PHP-FPM. Not for ever: behind one address there may be several servers. A request that waits for longer (in
 * the backlog, or for a worker that takes its time to exit) while php-fpm is reloaded would be failed, and had not run.
 */
const LONG = 5_000;
/** So many answers just after so long a silence are no chance either. */
const STALLS = 2;

export class Terminator {
  readonly #delay: number;
  #justAfter = 0;
  #sinceTry = 0;
  #notNeeded = false;
  #stalls = 0;

  /** `delay` in ms; 0: at once, always. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** ms of silence after which the record goes out by itself. */
  delay(isPhpFpm: boolean): number {
    return isPhpFpm || this.#notNeeded ? Math.max(LONG, this.#delay) : this.#delay;
  }

  /** Is the record sent together with the next request? */
  atOnce(mayBePhpFpm: boolean): boolean {
    if (this.#delay === 0 || !mayBePhpFpm || this.#stalls >= STALLS) return true;
    if (this.#justAfter < ANSWERS) return false;
    this.#sinceTry = (this.#sinceTry + 1) % TRY_EVERY;
    return this.#sinceTry !== 0;
  }

  /** A first byte has come. True: this is a server that waits for the end of input, whatever it has said. */
  answered(exchange: Exchange): boolean {
    if (this.#delay === 0 || exchange.terminatorAfter === 0) return false;
    if (!exchange.terminatorSent) {
      // It answered without: it does not need it, and never will. An answer in the middle of a body says nothing.
      if (exchange.handedOver) {
        this.#notNeeded = true;
        this.#justAfter = 0;
      }
      return false;
    }
    const isJustAfter = exchange.firstByteAfter - exchange.terminatorAfter <= JUST_AFTER;
    if (exchange.terminatorAfter >= LONG) {
      if (isJustAfter) this.#stalls++;
    } else if (!this.#notNeeded) {
      this.#justAfter = isJustAfter ? this.#justAfter + 1 : 0;
    }
    return this.#stalls >= STALLS;
  }
}
