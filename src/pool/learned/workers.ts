/**
 * Which of our fresh sockets wait for a worker, and how many workers there are. A PHP-FPM worker serves one connection
 * until it closes: with more sockets than workers, one whose kept socket always gets the next request never accepts
 * those that wait in the backlog, and their requests hang. So a kept socket is given up ("yield") while one of ours
 * waits: its worker accepts the one that has waited longest.
 *
 * It counts and does not time, as pages take 1 ms here and 5 s there. A fresh socket waits for a worker if it has been
 * overtaken: a request that was sent later has been answered in full. The backlog is first come, first served: where
 * a later fresh socket is answered, an earlier one has its worker, and its script is slow. A wrong guess costs one
 * connect; no number of sockets is ever forbidden.
 */

interface Waiter {
  readonly order: number;
  /** It is one more than have been seen to run at once: perhaps one more than there are workers. */
  readonly oneMore: boolean;
  overtaken: number;
}

/** With no more sockets than have run at once before, it is likelier that the script is slow. */
const OVERTAKEN_OFTEN = 3;

export class Workers<Key extends { order: number }> {
  /** So many sockets have been seen to run at once: at least so many workers are there. 0: none has been seen. */
  found = 0;
  readonly #waiting: Map<Key, Waiter> = new Map();
  #order = 0;

  /** Fresh sockets without an answer: each may wait for a worker that an idle socket of ours holds. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Of those, as many as are more than have been seen to run at once. */
  get oneMore(): number {
    let count = 0;
    for (const { oneMore } of this.#waiting.values()) if (oneMore) count++;
    return count;
  }

  /** A request goes out, on a fresh socket or a kept one; `open` sockets are open then. */
  sent(key: Key, isFresh: boolean, open: number): void {
    key.order = ++this.#order;
    if (isFresh) {
      this.#waiting.set(key, { order: key.order, oneMore: open > this.found, overtaken: 0 });
    }
  }

  /** Its first byte is here; `running` sockets have had an answer, this one included. */
  answered(key: Key, running: number): void {
    if (running > this.found) this.found = running;
    if (!this.#waiting.has(key)) return;
    for (const earlier of this.#waiting.keys()) {
      this.#waiting.delete(earlier);
      if (earlier === key) return;
    }
  }

  /** Its response is whole. */
  completed(key: Key): void {
    for (const waiter of this.#waiting.values()) {
      if (waiter.order >= key.order) return;
      waiter.overtaken++;
    }
  }

  /** It failed, or was given up. */
  gone(key: Key): void {
    this.#waiting.delete(key);
  }

  /** Must a socket whose response is whole be closed, although a request of ours could have it? */
  mustYield(): boolean {
    for (const waiter of this.#waiting.values()) {
      if (waiter.overtaken >= (waiter.oneMore ? 1 : OVERTAKEN_OFTEN)) return true;
    }
    return false;
  }
}
