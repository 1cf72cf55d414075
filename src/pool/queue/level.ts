/** How high a number stood of late: the highest of each tenth of a second. Times in ms. */

import { BUCKET, BUCKETS, firstBucket } from './counts.ts';

export class Level {
  now = 0;
  readonly #highest: number[] = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;

  change(by: number, now: number): void {
    this.#rotate(now);
    this.now += by;
    const at = this.#bucket % BUCKETS;
    this.#highest[at] = Math.max(this.#highest[at] ?? 0, this.now);
  }

  /** The highest in the first `length` ms, one bucket at least, of the whole buckets since then, in the window at the most. */
  highest(then: number, now: number, window: number, length: number): number {
    this.#rotate(now);
    const first = firstBucket(this.#bucket, then, window);
    const last = Math.min(this.#bucket, first + Math.max(1, Math.ceil(length / BUCKET)) - 1);
    let highest = this.now;
    for (let bucket = last; bucket >= first; bucket--) {
      const there = this.#highest[bucket % BUCKETS] ?? 0;
      highest = bucket === last ? there : Math.max(highest, there);
    }
    return highest;
  }

  /** In a bucket in which nothing has changed yet it is as high as it was at the end of the one before. */
  #rotate(now: number): void {
    const bucket = Math.floor(now / BUCKET);
    for (let i = Math.max(this.#bucket + 1, bucket - BUCKETS + 1); i <= bucket; i++)
      this.#highest[i % BUCKETS] = this.now;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
