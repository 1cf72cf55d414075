/** How many events there were of late, in buckets of a tenth of a second. Times in ms. */

const BUCKET = 100;
const BUCKETS = 100;
export const LONGEST_WINDOW: number = BUCKETS * BUCKET;

export interface Counted {
  readonly count: number;
  /** ms in which they were. */
  readonly time: number;
}

export class Counts {
  readonly #buckets: number[] = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;

  add(now: number): void {
    this.#rotate(now);
    const at = this.#bucket % BUCKETS;
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
  }

  /** How many there were in whole buckets since then, in the window at the most, and in how many ms. */
  since(then: number, now: number, window: number): Counted {
    this.#rotate(now);
    const first = Math.max(this.#bucket - Math.floor(window / BUCKET) + 1, Math.floor(then / BUCKET) + 1);
    let count = 0;
    for (let bucket = first; bucket <= this.#bucket; bucket++) count += this.#buckets[bucket % BUCKETS] ?? 0;
    return { count, time: Math.max(1, now - first * BUCKET) };
  }

  /** In how many ms the latest `count` were; LONGEST_WINDOW at the most. */
  timeOf(count: number, now: number): number {
    this.#rotate(now);
    let sum = 0;
    for (let i = 0; i < BUCKETS; i++) {
      sum += this.#buckets[(this.#bucket - i + BUCKETS) % BUCKETS] ?? 0;
      if (sum >= count) return (i + 1) * BUCKET;
    }
    return LONGEST_WINDOW;
  }

  /** Forgets the buckets that time has passed by. */
  #rotate(now: number): void {
    const bucket = Math.floor(now / BUCKET);
    for (let i = Math.max(this.#bucket + 1, bucket - BUCKETS + 1); i <= bucket; i++)
      this.#buckets[i % BUCKETS] = 0;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
