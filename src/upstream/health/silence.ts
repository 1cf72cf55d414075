/**
 * Which server has fallen silent, long before a timeout says so: a host that hangs would else get its share of the
 * requests for a whole `headersTimeout`. Suspect is a server with two or more unanswered requests, while the other
 * servers have answered so many that several answers of this one were due. A wrong guess costs little: other servers
 * are used first until its next answer. Times in ms.
 */

/** So many answers were due. Where answers come at random, one silence in 400 is as long as that. */
const DUE = 6;
/** ms. Answers are counted every 25 ms only, so less would be measured wrongly. */
const LEAST = 50;

/** What is seen of one server. */
export interface Progress {
  /** Requests without the head of a response. */
  readonly unanswered: number;
  /** When the oldest of them was given to the server. */
  readonly oldest: number;
  /** The latest head that came, of those whose bodies are still coming; -Infinity: none. */
  readonly answeredAt: number;
}

export class Silence {
  /** Others are asked first. */
  suspect = false;
  /** Since when it has been silent with requests on it; -1: it is not. */
  since = -1;
  #answersThen = 0;

  /** `due`: answers of all others so far, times this server's weight, by their weights. */
  onTick(progress: Progress, answeredAt: number, due: number, now: number): void {
    const since = progress.unanswered === 0 ? -1 : Math.max(progress.oldest, progress.answeredAt, answeredAt);
    if (since !== this.since) {
      this.since = since;
      this.#answersThen = due;
    }
    this.suspect = progress.unanswered >= 2 && now - since >= LEAST && due - this.#answersThen >= DUE;
  }

  /** ms */
  duration(now: number): number {
    return this.since < 0 ? 0 : now - this.since;
  }
}
