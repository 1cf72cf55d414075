/** How high a number stood of late: the highest of each 20 ms. Times in ms. */

import { LONGEST_WINDOW } from './counts.ts';

const BUCKET = 20;
/** Twice the longest window: what a window is compared with lies in front of it. */
const BUCKETS = (2 * LONGEST_WINDOW) / BUCKET;

export class Level {
  value = 0;
  readonly #highest: number[] = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;

  change(by: number, now: number): void {
    this.#rotate(now);
    this.value += by;
    const at = this.#bucket % BUCKETS;
    this.#highest[at] = Math.max(this.#highest[at] ?? 0, this.value);
  }

  /** The highest in the buckets that begin behind `from`, up to the one of `to`; in that one at least. */
  highest(from: number, to: number, now: number): number {
    this.#rotate(now);
    const last = Math.floor(to / BUCKET);
    let highest = 0;
    for (let bucket = Math.min(Math.floor(from / BUCKET) + 1, last); bucket <= last; bucket++)
      highest = Math.max(highest, this.#highest[bucket % BUCKETS] ?? 0);
    return highest;
  }

  /** In a bucket in which nothing has changed yet it is as high as it was at the end of the one before. */
  #rotate(now: number): void {
    const bucket = Math.floor(now / BUCKET);
    for (let i = Math.max(this.#bucket + 1, bucket - BUCKETS + 1); i <= bucket; i++)
      this.#highest[i % BUCKETS] = this.value;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
