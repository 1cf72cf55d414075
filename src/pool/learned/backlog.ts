/**
 * How many of our new connections wait in the backlog of php-fpm, and for how long? Known of those for which a worker was asked first
 * (accept-check.ts).
 *
 * The backlog belongs to all processes, and is first come, first served: it is one queue, in which whoever waits stands behind the requests of
 * all of them. So those that wait there count as our own queue does where a request is let in or refused (queue/overload.ts). All processes
 * see the same wait there, so all of them come to refuse at the same one. Times in ms.
 */

import type { Clock } from '../../connection/clock.ts';

/** So many that have waited for long are no chance, nor a moment in which php-fpm, or this machine, stood still. */
const WAITS = 3;
/** So long ago, with none of ours there since, it tells nothing any more: the queue of last night is not that of this morning. */
const KNOWN_FOR = 2_000;

interface Waiting {
  readonly since: number;
  /** None of ours waited in front of it. */
  readonly isFirst: boolean;
}

export class Backlog<Key> {
  readonly #waiting: Map<Key, Waiting> = new Map();
  /** ms that the latest have waited. */
  readonly #waits: number[] = [0];
  #behindOthers = 0;
  /** When the latest of these was seen. */
  #seenAt = Number.NEGATIVE_INFINITY;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** So many of ours wait there. */
  get size(): number {
    return this.#waiting.size;
  }

  /** One more would wait so long: none of the latest has waited less. 0: none waits, or it is not known. */
  get wait(): number {
    return this.#waiting.size > 0 ? Math.min(...this.#waits) : 0;
  }

  /** The latest with none of ours in front of it has waited so long: so long is the queue of the others. */
  get behindOthers(): number {
    return this.#behindOthers > 0 && this.#isLongAgo ? 0 : this.#behindOthers;
  }

  /** A worker is asked for. */
  asked(key: Key, now: number): void {
    if (this.#isLongAgo) this.#nothingWaits();
    this.#waiting.set(key, { since: now, isFirst: this.#waiting.size === 0 });
  }

  /** A worker has it. How long it has waited. */
  accepted(key: Key, now: number): number {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return 0;
    const wait = now - waiting.since;
    this.#add(wait);
    this.#behindOthers = waiting.isFirst ? wait : Math.min(wait, this.#behindOthers);
    this.gone(key);
    return wait;
  }

  /** It is closed, or was given up. */
  gone(key: Key): void {
    this.#waiting.delete(key);
  }

  /** One that was not asked was answered soon. */
  answeredSoon(): void {
    this.#add(0);
    this.#behindOthers = 0;
  }

  get #isLongAgo(): boolean {
    return this.#waiting.size === 0 && this.#clock.now() - this.#seenAt > KNOWN_FOR;
  }

  #nothingWaits(): void {
    this.#waits.splice(0, WAITS, 0);
    this.#behindOthers = 0;
  }

  #add(wait: number): void {
    this.#seenAt = this.#clock.now();
    this.#waits.push(wait);
    if (this.#waits.length > WAITS) this.#waits.shift();
  }
}
