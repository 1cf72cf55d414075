/**
 * Whoever was refused may ask again, and counts as one more that comes, each time: where clients were refused once, their queue
 * may seem to grow for ever, although it would stand if all of them were let in. So now and then more may wait for a
 * moment. Where it is an overload, the queue soon is too long for that as well, and the next trial is later: seldom enough that those who
 * are answered in a lasting overload are answered as soon as ever, and that its end finds no long queue. Times in ms.
 */

const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 60_000;
/** Where nobody had to be refused for so long, the next overload is another one. */
const FORGOTTEN = 2_000;

export class Trial {
  #until = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;
  #pause = FIRST_PAUSE;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** More may wait at the moment. */
  isOn(now: number): boolean {
    return now < this.#until;
  }

  /** One is to be refused: may it wait all the same? `fits`: the queue is short enough for a trial, which takes `time`. */
  allows(now: number, fits: boolean, time: number): boolean {
    if (now - this.#askedAt > FORGOTTEN) {
      this.#pause = FIRST_PAUSE;
      this.#next = now + FIRST_PAUSE;
    }
    this.#askedAt = now;
    if (now >= this.#next && fits) {
      this.#until = now + time;
      this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
      this.#next = this.#until + this.#pause;
    }
    if (!fits) this.#until = now;
    return now < this.#until;
  }
}
