/** For how long no byte has moved, to the tick: the hot path only sets a flag. Times in ms. */
export class Activity {
  #hasMoved = false;
  #last: number;

  constructor(now: number) {
    this.#last = now;
  }

  mark(): void {
    this.#hasMoved = true;
  }

  /** As of `now`, exactly. */
  begin(now: number): void {
    this.#last = now;
  }

  silence(now: number): number {
    if (this.#hasMoved) {
      this.#hasMoved = false;
      this.#last = now;
    }
    return now - this.#last;
  }
}
