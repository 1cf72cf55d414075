/** How long requests have waited and run of late, for `stats`. */
import { Histogram, type Summary } from './histogram.ts';

/** ms after which what is older than that is forgotten. */
const PERIOD = 30_000;

export class Durations {
  /** ms in our own queue. */
  readonly waiting: Histogram = new Histogram();
  /** ms from there to the end. */
  readonly running: Histogram = new Histogram();
  #since = 0;
  #seenAt = Number.NEGATIVE_INFINITY;

  /** `monotonic`, here and below: by the machine's clock, as the pool's stands still while there is nothing to do. */
  summaries(monotonic: number): { readonly waiting: Summary; readonly running: Summary } {
    this.forget(monotonic);
    return { waiting: this.waiting.summary, running: this.running.summary };
  }

  /** Called every few ms; `now`: by the pool's clock. True: a period of that is over. */
  onTick(now: number, monotonic: number): boolean {
    this.forget(monotonic);
    if (now - this.#since < PERIOD) return false;
    this.#since = now;
    return true;
  }

  /** Called before anything is added, too: a slow page of last night is none of the last minute. */
  forget(monotonic: number): void {
    const periods = (monotonic - this.#seenAt) / PERIOD;
    if (periods < 1) return;
    this.#seenAt = monotonic;
    for (const histogram of [this.waiting, this.running]) {
      histogram.rotate();
      // Nothing was added for a whole period.
      if (periods >= 2) histogram.rotate();
    }
  }
}
