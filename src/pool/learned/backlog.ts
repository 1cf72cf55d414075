/**
 * How long do new connections wait in the backlog of php-fpm, and how many of ours may at once? Known of those for which a worker was
 * asked first (accept-check.ts).
 *
 * The backlog belongs to all processes. What one of them has sent there is taken in its turn, and cannot be taken back: ten
 * processes of eight connections have 72 waiting for 8 workers. So where new connections wait for long, and clients leave meanwhile, few of ours
 * do, and the requests wait in our own queue, which a client may leave, and which refuses who would be answered too late. The number is
 * halved while they are late, and is one more for each that is not, as TCP's congestion control has it (RFC 5681): so all processes come to
 * have the same share. One may always wait: a worker that comes free finds it, and none is idle for this rule.
 *
 * While no client leaves, and none is refused, any number may wait: nothing is run for nobody, the backlog is served in the order in which
 * all processes have come, and in a queue of its own the process that is asked the most would have its requests wait the longest.
 *
 * That holds for one queue. Behind an address there may be several: a TCP proxy, or a virtual address, with several php-fpm, of which one
 * is busy and another is not. It shows, as a queue is first come, first served: a young connection has its worker soon, and an old one
 * is late still. Then any number may wait. So it may where it is no use: most of what waits there is of others (nginx, say) who give no way,
 * and a few of ours wait for more than half as long as all of them did. Times in ms.
 */

import type { Clock } from '../../connection/clock.ts';
import { ROUND_TRIPS } from './accept-check.ts';

/** So many in a row that wait for long are no chance, nor a moment in which php-fpm, or this machine, stood still. */
const WAITS = 3;
/** One that has waited longer is late; where connecting takes its time, our own event loop included, ROUND_TRIPS as long. */
const LONGEST_WAIT = 150;
/** There are several queues where one that is late was passed by so many that were not. */
const PASSES = 2;
/** It is no use where so many in a row, with one of ours in front of them at the most, wait for more than half of what it was before. */
const IN_VAIN = 3;
const FEW = 2;
const LITTLE_LESS = 0.5;
/** For so long any number may wait then; twice as long each time that it was no use again. */
const ANY_FOR = 10_000;
const LONGEST_ANY = 80_000;
/** So many may wait once so many were in time, or had their workers and no request was lost: it is over, and the next time is another one. */
const ENOUGH = 64;
/** Where one waits for so long, one more may: perhaps it is with a worker that hangs. */
const ONE_MORE_AFTER = 1_000;
/** So long ago, with none of ours there since, it tells nothing any more: the queue of last night is not that of this morning. */
const KNOWN_FOR = 2_000;

interface Waiting {
  readonly since: number;
  /** Any number might wait as it was opened. */
  readonly isOneOfAny: boolean;
  /** None of ours waited in front of it. */
  readonly isFirst: boolean;
  /** It is late from then on. */
  readonly lateAt: number;
  isLate: boolean;
  /** It is one of a few: where it waits still, they are few in vain. Infinity: it is not. */
  readonly inVainAt: number;
  isInVain: boolean;
  /** So many younger ones have had their workers meanwhile, in time. */
  passes: number;
}

export class Backlog<Key> {
  /** So many new connections may wait at once. Infinity: none was late. */
  most: number = Number.POSITIVE_INFINITY;
  readonly #waiting: Map<Key, Waiting> = new Map();
  /** ms that the latest have waited. */
  readonly #waits: number[] = [0];
  #lateInARow = 0;
  #anyUntil = Number.NEGATIVE_INFINITY;
  #anyFor = ANY_FOR;
  #inVainInARow = 0;
  /** The longest that one has waited while any number might, since the last that was in time then. */
  #longest = 0;
  /** So many have had their workers since the last request that was lost. */
  #acceptedSinceLoss = ENOUGH;
  #behindOthers = 0;
  /** When the latest of all these was seen. */
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

  /** It would be no shorter without those of ours: there are several queues, or most of it is of others. */
  isOthers(now: number): boolean {
    return now < this.#anyUntil;
  }

  /** `count` are being opened, the oldest since then: may one more be? */
  mayOpen(count: number, oldest: number, now: number): boolean {
    return count < this.most + Math.floor((now - oldest) / ONE_MORE_AFTER);
  }

  /** A worker is asked for. `connecting`: what the connect has taken. */
  asked(key: Key, connecting: number, now: number): void {
    const isFirst = this.#waiting.size === 0;
    if (this.#isLongAgo) this.#nothingWaits();
    const late = Math.max(LONGEST_WAIT, ROUND_TRIPS * connecting);
    const isOneOfFew = this.most <= FEW && this.#waiting.size < FEW;
    const inVain = isOneOfFew ? Math.max(late, LITTLE_LESS * this.#longest) : Number.POSITIVE_INFINITY;
    this.#waiting.set(key, {
      since: now,
      isOneOfAny: !this.#isLimited,
      isFirst,
      lateAt: now + late,
      isLate: false,
      inVainAt: now + inVain,
      isInVain: false,
      passes: 0,
    });
  }

  /** A request was lost: its client has left unanswered, or it was refused. */
  lost(): void {
    this.#acceptedSinceLoss = 0;
  }

  /** A worker has it. How long it has waited. */
  accepted(key: Key, now: number): number {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return 0;
    const { since, lateAt, inVainAt, isFirst } = waiting;
    const wait = now - since;
    this.#add(wait);
    this.#behindOthers = isFirst ? wait : Math.min(wait, this.#behindOthers);
    if (now <= lateAt) {
      this.#lateInARow = 0;
      this.most = this.most < ENOUGH ? this.most + 1 : Number.POSITIVE_INFINITY;
      // What was longer before, as php-fpm stood still, say, is over.
      if (!this.#isLimited) this.#longest = 0;
      this.#passed(key, now);
    }
    if (++this.#acceptedSinceLoss >= ENOUGH) this.most = Number.POSITIVE_INFINITY;
    if (now <= inVainAt && inVainAt < Number.POSITIVE_INFINITY) {
      this.#inVainInARow = 0;
      this.#anyFor = ANY_FOR;
    }
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

  /** Called every few ms. */
  onTick(now: number): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.isOneOfAny) this.#longest = Math.max(this.#longest, now - waiting.since);
      if (!waiting.isInVain && now > waiting.inVainAt) {
        waiting.isInVain = true;
        if (++this.#inVainInARow >= IN_VAIN) this.#letAny(now);
      }
      if (waiting.isLate || now <= waiting.lateAt) continue;
      waiting.isLate = true;
      this.#lookForSeveral(waiting, now);
      const isChance = ++this.#lateInARow < WAITS;
      if (isChance || this.#acceptedSinceLoss >= ENOUGH || this.isOthers(now)) continue;
      this.most = Math.max(1, Math.floor(Math.min(this.most, this.#waiting.size) / 2));
    }
  }

  get #isLongAgo(): boolean {
    return this.#waiting.size === 0 && this.#clock.now() - this.#seenAt > KNOWN_FOR;
  }

  get #isLimited(): boolean {
    return this.most < Number.POSITIVE_INFINITY;
  }

  #passed(by: Key, now: number): void {
    for (const [key, waiting] of this.#waiting) {
      if (key === by) return;
      waiting.passes++;
      this.#lookForSeveral(waiting, now);
    }
  }

  #lookForSeveral({ isLate, passes }: Waiting, now: number): void {
    if (isLate && passes >= PASSES) this.#letAny(now);
  }

  #letAny(now: number): void {
    if (this.#isLimited) {
      this.#longest = 0;
      this.#inVainInARow = 0;
      this.#anyUntil = now + this.#anyFor;
      this.#anyFor = Math.min(LONGEST_ANY, 2 * this.#anyFor);
    }
    this.most = Number.POSITIVE_INFINITY;
    this.#anyUntil = Math.max(this.#anyUntil, now + ANY_FOR);
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
