/**
 * Responses that are whole and not told yet. The callbacks of one take as long as to read and answer several sockets: first all workers
 * that are free get their next request, then the callers get their responses, in the same turn of the event loop.
 */
import type { Clock } from '../../connection/clock.ts';

interface Delivery {
  deliver(): void;
}

export class Deliveries {
  readonly #clock: Clock;
  #due: Delivery[] = [];
  /** Of those so many have been told. */
  #told = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `one` is told behind this turn of I/O. */
  add(one: Delivery): void {
    if (this.#due.length === 0) this.#clock.afterReads(this.flush);
    this.#due.push(one);
  }

  /** Tells what is due, also from within a callback. */
  readonly flush = (): void => {
    while (this.#told < this.#due.length) this.#due[this.#told++]?.deliver();
    this.#due = [];
    this.#told = 0;
  };
}
