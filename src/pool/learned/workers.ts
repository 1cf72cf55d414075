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
 *
 * All processes wait in the same backlog, so each must hold its workers for as long as the others do, whatever it has seen of them. When one
 * socket more than have been seen to run at once had a kept one given up for it as soon as it was overtaken, the workers were left to whoever
 * had seen more of them: of two processes, with pages of 5 ms on 8 workers, the one that had seen all 8 answered 82 of a hundred
 * requests, and the one that had seen 7 the rest, for as long as the load lasted.
 *
 * But while there are likely no more workers, each request on a fresh socket costs a kept one, and a connect: two of three hello
 * pages of eight clients on four workers, and half of what they can do. So once one more was overtaken, those that come wait in our own
 * queue for a kept socket, until the next tick, or until more run at once than before. Not while fewer of ours run than have been seen to
 * run at once: others have the workers then, and only those that wait in the backlog have their share of them.
 */

interface Unanswered {
  readonly order: number;
  /** It is one more than have been seen to run at once: perhaps one more than there are workers. */
  readonly oneMore: boolean;
  /** Others had been seen to run before: it is none of the first, which all wait for workers to wake up. */
  readonly isLater: boolean;
  /** A later fresh socket has been answered: a worker runs this one. */
  accepted: boolean;
  overtaken: number;
  /** So many later fresh sockets have been answered. */
  passed: number;
}

/**
 * Its script may be slow instead, or its worker has yet to wake up: so often by each of those that are served. Twice in all come within half a
 * ms where eight sockets have pages of 1 ms, and a worker that has just been freed takes as long to accept on a busy machine.
 */
const OVERTAKEN_OFTEN = 2;

export class Workers<Key extends { order: number }> {
  /** So many fresh sockets wait for an answer, and perhaps for a worker that an idle socket of ours holds. */
  waiting = 0;
  /** How often one socket more than `found` was overtaken: there are likely no more workers. */
  oneMoreOvertaken = 0;
  /** One socket more than `found` was overtaken just now. Until the next tick the next one would be, too. */
  isFull = false;
  readonly #unanswered: Map<Key, Unanswered> = new Map();
  #order = 0;
  #accepted = 0;
  /** Seen in this period, and in the one before. */
  #found = 0;
  #foundBefore = 0;

  /** So many sockets have been seen to run at once of late: at least so many workers are there. 0: none has been seen. */
  get found(): number {
    return Math.max(this.#found, this.#foundBefore);
  }

  /** Of those that wait, as many as are more than have been seen to run at once. */
  get oneMore(): number {
    let count = 0;
    for (const { oneMore, accepted } of this.#unanswered.values()) if (oneMore && !accepted) count++;
    return count;
  }

  /** A request goes out, on a fresh socket or a kept one; `open` sockets are open then. */
  sent(key: Key, isFresh: boolean, open: number): void {
    key.order = ++this.#order;
    if (!isFresh) return;
    this.waiting++;
    this.#unanswered.set(key, {
      order: key.order,
      oneMore: open > this.found,
      isLater: this.found > 0,
      accepted: false,
      overtaken: 0,
      passed: 0,
    });
  }

  /** Its first byte is here; `answered` open sockets have had an answer, this one included. */
  answered(key: Key, answered: number): void {
    if (this.#unanswered.has(key)) {
      for (const [earlier, unanswered] of this.#unanswered) {
        if (!unanswered.accepted) {
          unanswered.accepted = true;
          this.#accepted++;
          this.waiting--;
        }
        if (earlier === key) break;
        unanswered.passed++;
      }
      this.gone(key);
    }
    const running = answered + this.#accepted;
    if (running > this.found) this.isFull = false;
    this.#found = Math.max(this.#found, running);
  }

  /**
   * Has another process the worker that this one waits for? It is none more than have been seen to run, and each of the `served` sockets that
   * have workers has overtaken it several times. Where all waits are our own, those that wait are more than those.
   */
  isTaken(key: Key, served: number): boolean {
    const unanswered = this.#unanswered.get(key);
    if (unanswered === undefined) return false;
    const { accepted, oneMore, overtaken } = unanswered;
    return !accepted && !oneMore && overtaken >= often(served);
  }

  /** How many later fresh sockets have been answered. Through a proxy: by other servers than the one that this one waits for. */
  passed(key: Key): number {
    return this.#unanswered.get(key)?.passed ?? 0;
  }

  /** Its response is whole; `served` sockets have workers. */
  completed(key: Key, served: number): void {
    for (const unanswered of this.#unanswered.values()) {
      if (unanswered.order >= key.order) return;
      unanswered.overtaken++;
      if (!unanswered.oneMore || unanswered.accepted) continue;
      this.oneMoreOvertaken++;
      // Not again by the same one: its script may be slow.
      if (unanswered.isLater && unanswered.overtaken === 1 && this.#areAllOurs(served)) this.isFull = true;
    }
  }

  /** It failed, or was given up. */
  gone(key: Key): void {
    const unanswered = this.#unanswered.get(key);
    if (unanswered === undefined) return;
    this.#unanswered.delete(key);
    if (unanswered.accepted) this.#accepted--;
    else this.waiting--;
  }

  /** Must a socket whose response is whole be closed, although a request of ours could have it? `served`: so many sockets have workers. */
  mustYield(served: number): boolean {
    const least = often(served);
    for (const { accepted, overtaken } of this.#unanswered.values())
      if (!accepted && overtaken >= least) return true;
    return false;
  }

  /** As many of ours run as have been seen to run at once; while fewer do, other processes have their workers. */
  #areAllOurs(served: number): boolean {
    return served + this.#accepted >= this.found;
  }

  /** Called every few ms. */
  onTick(): void {
    this.isFull = false;
  }

  /** A period is over: what was found before the last one is forgotten, as php-fpm may have fewer workers now. */
  rotate(): void {
    this.#foundBefore = this.#found;
    this.#found = 0;
  }
}

/** So many times in all, where each of the `served` sockets has overtaken it several times. */
function often(served: number): number {
  return OVERTAKEN_OFTEN * Math.max(1, served);
}
