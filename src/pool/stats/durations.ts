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

  summaries(now: number): { readonly waiting: Summary; readonly running: Summary } {
    this.forget(now);
    return { waiting: this.waiting.summary, running: this.running.summary };
  }

  /** Called every few ms, while there is something to do. True: a period is over. */
  onTick(now: number): boolean {
    this.forget(now);
    if (now - this.#since < PERIOD) return false;
    this.#since = now;
    return true;
  }

  /** Called before anything is added, too: a slow page of last night is none of the last minute. */
  forget(now: number): void {
    const periods = (now - this.#seenAt) / PERIOD;
    if (periods < 1) return;
    this.#seenAt = now;
    for (const histogram of [this.waiting, this.running]) {
      histogram.rotate();
      // Nothing was added for a whole period.
      if (periods >= 2) histogram.rotate();
    }
  }
}
