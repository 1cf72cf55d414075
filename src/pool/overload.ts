/**
 * Is a request let in, or refused at once? A burst may wait; a standing queue is refused early, so that those who are
 * served are served in time: where clients give up after 2 s, a queue that is 2 s old serves nobody.
 *
 * The rule: a queue that has not been empty for a while, is longer than a few rounds of the workers, and would take
 * longer than LONGEST_WAIT at the pace of the last second, takes nobody more. The rounds make room for slow pages: 24
 * clients on 8 workers wait two pages each, whatever a page takes. Times in ms.
 */

/** A queue younger than this is a burst. */
const BURST = 250;
const LONGEST_WAIT = 350;
/** So many requests for each worker may wait in any case. */
const ROUNDS = 3;
/** The pace is counted over this time, in so many buckets. */
const WINDOW = 1_000;
const BUCKETS = 10;
const BUCKET = WINDOW / BUCKETS;

export class Overload {
  /** Refused so far. */
  refused = 0;
  readonly #buckets: number[] = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;
  /** When the queue was empty for the last time. */
  #emptyAt = Number.NEGATIVE_INFINITY;

  /** Nobody waits. */
  empty(now: number): void {
    this.#emptyAt = now;
  }

  /** A response was whole. */
  served(now: number): void {
    this.#turn(now);
    const at = this.#bucket % BUCKETS;
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
  }

  /**
   * null: one more may wait. Else it is refused, and the number says in how many ms it might be let in. `waiting` requests
   * are queued, or sent and perhaps not accepted; `workers`: as far as known, 1 at the least.
   */
  refuses(now: number, waiting: number, workers: number): number | null {
    const age = now - this.#emptyAt;
    if (age < BURST || waiting < ROUNDS * workers) return null;
    const wait = waiting * this.#timePerRequest(now);
    if (wait <= LONGEST_WAIT) return null;
    this.refused++;
    return wait - LONGEST_WAIT;
  }

  /** ms from one answer to the next, since the queue was empty or in the last second. */
  #timePerRequest(now: number): number {
    this.#turn(now);
    const first = Math.max(this.#bucket - BUCKETS + 1, Math.floor(this.#emptyAt / BUCKET) + 1);
    let served = 0;
    for (let bucket = first; bucket <= this.#bucket; bucket++) served += this.#buckets[bucket % BUCKETS] ?? 0;
    return (now - first * BUCKET) / Math.max(1, served);
  }

  /** Forgets the buckets that time has passed by. */
  #turn(now: number): void {
    const bucket = Math.floor(now / BUCKET);
    for (let i = Math.max(this.#bucket + 1, bucket - BUCKETS + 1); i <= bucket; i++)
      this.#buckets[i % BUCKETS] = 0;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
