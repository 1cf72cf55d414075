/**
 * Is a request let in, or refused at once? A burst may wait; a standing queue is refused early, so that those who are
 * served are served in time: where clients give up after 2 s, a queue that is 2 s old serves nobody.
 *
 * The rule: where the queue has not been empty for a while, nobody more is taken who would wait longer than LONGEST_WAIT
 * at its pace, or than a few pages take here: where each takes a second, a wait of two is no overload. Times in ms.
 */

/** A queue younger than this is a burst. */
const BURST = 150;
const LONGEST_WAIT = 350;
const TIMES_USUAL = 4;
/** While nothing is answered, so many requests may wait for each one that runs. */
const ROUNDS_IN_SILENCE = 3;
/** The pace is counted over this time, in so many buckets. */
const WINDOW = 1_000;
const BUCKETS = 10;
const BUCKET = WINDOW / BUCKETS;

/** What the queue is like as a request comes. */
export interface Arrival {
  readonly now: number;
  readonly queued: number;
  /** Sent; some of them may wait in the backlog of the server. */
  readonly sent: number;
  /** As far as they are known. */
  readonly workers: number;
  /** What the usual request takes from sending to the end: two of five took no longer. 0: not known. */
  readonly usual: number;
}

export class Overload {
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

  /** null: one more may wait. Else it is refused, and the number says in how many ms it might be let in. */
  refuses({ now, queued, sent, workers, usual }: Arrival): number | null {
    // Where nothing is sent, no server is known yet, or all of them are being tried again.
    if (sent === 0 || now - this.#emptyAt < BURST) return null;
    const { served, time } = this.#pace(now);
    if (served === 0) return queued < ROUNDS_IN_SILENCE * sent ? null : WINDOW;
    const waiting = queued + Math.max(0, sent - workers);
    // `usual` has in it what they waited in the backlog of the server. What the workers have in hand is half done, on the average.
    const pace = (served + workers / 2) / time;
    const page = usual * Math.min(1, Math.max(workers / sent, 0.5));
    const over = waiting / pace - Math.max(LONGEST_WAIT, TIMES_USUAL * page);
    return over <= 0 ? null : over;
  }

  /** So many answers in so many ms, since the queue was empty or in the last second. */
  #pace(now: number): { served: number; time: number } {
    this.#turn(now);
    const first = Math.max(this.#bucket - BUCKETS + 1, Math.floor(this.#emptyAt / BUCKET) + 1);
    let served = 0;
    for (let bucket = first; bucket <= this.#bucket; bucket++) served += this.#buckets[bucket % BUCKETS] ?? 0;
    return { served, time: now - first * BUCKET };
  }

  /** Forgets the buckets that time has passed by. */
  #turn(now: number): void {
    const bucket = Math.floor(now / BUCKET);
    for (let i = Math.max(this.#bucket + 1, bucket - BUCKETS + 1); i <= bucket; i++)
      this.#buckets[i % BUCKETS] = 0;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
