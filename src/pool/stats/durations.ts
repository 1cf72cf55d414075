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

  get summaries(): { readonly waiting: Summary; readonly running: Summary } {
    return { waiting: this.waiting.summary, running: this.running.summary };
  }

  /** Called every few ms. True: a period is over. */
  onTick(now: number): boolean {
    if (now - this.#since < PERIOD) return false;
    this.#since = now;
    this.waiting.rotate();
    this.running.rotate();
    return true;
  }
}
