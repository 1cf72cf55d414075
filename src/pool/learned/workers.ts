/**
 * The yield rule. A PHP-FPM worker serves one connection until it closes. With more sockets than workers, a worker
 * whose kept socket always gets the next request never accepts those that wait in the backlog, and their requests
 * hang. So: while a request waits on a fresh socket for its first byte for longer than usual, the next socket that
 * comes free is closed, and its worker accepts the one that waits. What is learned from this is how many sockets
 * run at once: no more are opened, but for one more now and then, as php-fpm may have grown.
 *
 * Decisions only; times are given, in ms.
 */

interface Waiter {
  yieldAt: number;
  yieldedAt: number;
  /** Its socket is one more than the pool believed to have workers for. */
  readonly trial: boolean;
}

const FIRST_PATIENCE = 20;
const LEAST_PATIENCE = 10;
const MOST_PATIENCE = 500;
const FIRST_TRIAL = 250;
const LAST_TRIAL = 2_000;
/** So many times longer is waited where our own sockets are hardly the cause. */
const PATIENT = 10;
/** How often sockets must have been seen to wait for each other before the pool believes that workers are scarce. */
const STRIKES = 2;

export class Turns<Key extends object> {
  /** Sockets that are worth having: found out, at most `most`. */
  limit: number;
  readonly #most: number;
  readonly #waiting: Map<Key, Waiter> = new Map();
  /** What a first byte takes on a socket that has a worker; -1 before the first. */
  #usual = -1;
  #strikes = 0;
  /** So many sockets have been seen to run at once. */
  #ran = 0;
  #trialEvery: number = FIRST_TRIAL;
  #nextTrial = 0;

  constructor(most: number) {
    this.#most = most;
    this.limit = most;
  }

  get anyWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** How many requests may run at `now`. */
  capacity(now: number): number {
    return this.limit < this.#most && now >= this.#nextTrial ? this.limit + 1 : this.limit;
  }

  /** A request goes out on a fresh socket; `sockets` are open then, this one included. */
  sent(key: Key, now: number, sockets: number): void {
    const trial = sockets > this.limit;
    if (trial) this.#nextTrial = Number.POSITIVE_INFINITY;
    // With no more sockets than have run at once before, it is php-fpm that takes its time, to start a worker, say.
    const patience = sockets <= this.#ran ? PATIENT * this.#patience() : this.#patience();
    this.#waiting.set(key, { yieldAt: now + patience, yieldedAt: 0, trial });
  }

  /** The first byte came `after` ms; `running` sockets have had an answer, this one included. */
  answered(key: Key, now: number, after: number, running: number): void {
    const waiter = this.anyWaiting ? this.#waiting.get(key) : undefined;
    if (waiter === undefined || waiter.yieldedAt === 0) {
      // One that is slow out of all proportion says little of the others.
      const taken = Math.min(after, 10 * this.#usual + 10);
      this.#usual = this.#usual < 0 ? after : this.#usual + (taken - this.#usual) / 16;
    }
    if (waiter === undefined) return;
    this.#waiting.delete(key);
    this.#ran = Math.max(this.#ran, running);
    // Soon after another socket was given up for it: it had waited for a worker. Much later: its script is slow.
    const starved = waiter.yieldedAt > 0 && now - waiter.yieldedAt <= this.#patience();
    if (starved) this.#starved(running, now);
    else if (waiter.yieldedAt === 0) this.#strikes = 0;
    if (waiter.trial) this.#tried(!starved && running > this.limit, now);
  }

  /** It failed, or was given up. */
  gone(key: Key, now: number): void {
    const waiter = this.#waiting.get(key);
    if (waiter === undefined) return;
    this.#waiting.delete(key);
    if (waiter.trial) this.#tried(false, now);
  }

  /** Must a socket that is free be closed? Each yes counts for one that waits: it is not asked for again too soon. */
  mustYield(now: number): boolean {
    for (const waiter of this.#waiting.values()) {
      if (now < waiter.yieldAt) continue;
      const since = waiter.yieldedAt === 0 ? this.#patience() : 2 * (now - waiter.yieldedAt);
      waiter.yieldedAt = now;
      waiter.yieldAt = now + since;
      return true;
    }
    return false;
  }

  #starved(running: number, now: number): void {
    this.#strikes++;
    if (this.#strikes < STRIKES) return;
    this.limit = Math.max(1, Math.min(this.limit, running));
    this.#ran = this.limit;
    if (this.#nextTrial !== Number.POSITIVE_INFINITY) this.#nextTrial = now + this.#trialEvery;
  }

  #tried(good: boolean, now: number): void {
    if (good) {
      this.limit = Math.min(this.#most, this.limit + 1);
      this.#trialEvery = FIRST_TRIAL;
      this.#nextTrial = now;
    } else {
      this.#trialEvery = Math.min(LAST_TRIAL, 2 * this.#trialEvery);
      this.#nextTrial = now + this.#trialEvery;
    }
  }

  #patience(): number {
    if (this.#usual < 0) return FIRST_PATIENCE;
    return Math.min(MOST_PATIENCE, Math.max(LEAST_PATIENCE, 4 * this.#usual));
  }
}
