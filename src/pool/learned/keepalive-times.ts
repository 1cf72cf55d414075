/**
 * For how long a connection is kept. A kept connection saves a connect, and holds a worker that another client of the
 * same php-fpm may need; this process cannot see that client wait in the backlog. So an idle connection is closed once
 * holding it costs more than a connect, and one in constant use after a lease: without that, the other client would wait
 * for ever. Both times grow with what a connect takes: nothing on a unix socket, 20 ms to a far host. Times in ms.
 */

import { TICK_INTERVAL } from '../../connection/clock.ts';
import type { Held } from '../../connection/owner.ts';
import { type Answered, DelayedAcks } from './delayed-acks.ts';

/** An idle connection is kept for so many times what connecting takes, at the most. With 300 times, processes on hosts 1 ms away had each other wait for 170 ms. */
const IDLE_TIMES = 30;
const LEAST_IDLE = 50;
const MOST_IDLE = 2_000;
/** And for as long as connecting takes where others need its worker, from so much on. */
const LEAST_SHORT_IDLE = 2;
/**
 * A lease is at least so many times as long: connecting costs at most a twentieth of the time. The least is no multiple of anything here: whoever
 * waits behind as many connections as there are workers waits for as long, and one more client must not wait 50 ms longer.
 */
const LEASE_TIMES = 20;
const LEAST_LEASE = 35;
const MOST_LEASE = 1_000;
/**
 * Connections are given back one by one, so much later than the one before, or so much of a lease: whoever waits in the backlog needs one
 * worker, and each connect costs this process as much as several requests. Without it 8 connections for pages of 5 ms took half
 * as much processor time again.
 */
const LEAST_PACE = 30;
const PACE = 1 / 2;
/**
 * Where a page takes as long as that, each connection goes in its time: pages that began together end together, and of those that
 * end together only one would go. With pages of 100 ms whoever else waited had to wait for one page more. Its connects must cost a
 * fortieth of the time at the most: so many leases of a far host.
 */
const LONG_PAGE = 2;
/** And where it has waited for its worker for so much of a lease: others wait as well, and whoever has one connection with a worker gives it back in its time. */
const LONG_WAIT = 1 / 2;
/** What it has waited counts for so much of a lease. */
const WAIT_COUNTS = 1 / 2;
/** A connection goes by so much of a page before its time, and not a page later. */
const EARLY = 1 / 5;

export interface KeepaliveOptions {
  /** 'auto': as long as it pays; 0: no limit. */
  readonly keepaliveTime: number | 'auto';
  readonly keepaliveTimeout: number | 'auto';
}

export class KeepaliveTimes {
  readonly #limits: KeepaliveOptions;
  /** The quickest connect of this period, and of the latest before that had one: slower ones have waited for our own event loop. */
  #quickest = Number.POSITIVE_INFINITY;
  #quickestBefore = Number.POSITIVE_INFINITY;
  #givenBackAt = Number.NEGATIVE_INFINITY;
  readonly #delayedAcks: DelayedAcks = new DelayedAcks();

  constructor(limits: KeepaliveOptions) {
    this.#limits = limits;
  }

  connected(took: number): void {
    this.#quickest = Math.min(this.#quickest, took);
  }

  answered(answered: Answered, now: number): void {
    // Over a unix socket nobody waits for an acknowledgement.
    if (this.#isKnown) this.#delayedAcks.answered(answered, this.connect, now);
  }

  /** What is kept is slower than what is new, for now. */
  get isCostly(): boolean {
    return this.#limits.keepaliveTime === 'auto' && this.#delayedAcks.isCostly;
  }

  onTick(now: number): void {
    this.#delayedAcks.onTick(now);
  }

  /**
   * Called each tick of a connection that has been idle for so long, was opened so long ago, and has carried so many requests: must it go?
   * Its age counts: one that is used now and then would hold its worker for longer than an idle one, and whoever waits for that cannot tell
   * them apart. Not of one in constant use, which is between two requests at nearly every tick: its time is the lease. Else hello pages on 8
   * connections cost 60 connects a second more, and all 8 at once.
   */
  isIdleTimeOver(idle: number, age: number, requests: number): boolean {
    const { keepaliveTime, keepaliveTimeout } = this.#limits;
    if (keepaliveTimeout !== 'auto') return keepaliveTimeout > 0 && idle >= keepaliveTimeout;
    const most = clamp(IDLE_TIMES * this.connect, LEAST_IDLE, MOST_IDLE);
    const held = keepaliveTime !== 'auto' || this.#isInConstantUse(age, requests) ? idle : age;
    // Looked at once a tick: without this it would be closed as much as a tick too late, while others wait for its worker.
    return held >= most - TICK_INTERVAL;
  }

  /** How long a connection may be idle where others need its worker. */
  get shortIdleTime(): number {
    return Math.max(LEAST_SHORT_IDLE, this.connect);
  }

  /** Nobody has said how long a connection may be idle. */
  get isIdlenessAuto(): boolean {
    return this.#limits.keepaliveTimeout === 'auto';
  }

  /**
   * Must a connection go that has had the last answer at `answeredAt`? What it has waited for its worker counts half: the longer others
   * hold theirs, the sooner they have it back. Where it counts in full, whoever has waited for longer has its worker for less, so that the
   * others have theirs for longer, and it waits as long the next time: with pages of 8 ms two of four processes on 8 workers got half of
   * what the other two did. So all of them come to the same.
   */
  isLeaseOver({ openedAt, heldSince, requests }: Omit<Held, 'proven'>, answeredAt: number): boolean {
    const { keepaliveTime } = this.#limits;
    const age = answeredAt - openedAt;
    if (keepaliveTime !== 'auto') return keepaliveTime > 0 && age >= keepaliveTime;
    const lease = clamp(LEASE_TIMES * this.connect, LEAST_LEASE, MOST_LEASE);
    const waited = heldSince - openedAt;
    const held = answeredAt - heldSince;
    const page = held / requests;
    if (held + EARLY * page + WAIT_COUNTS * waited < lease) return false;
    const pace = Math.max(LEAST_PACE, PACE * lease);
    const isLongPage = page >= pace && age >= LONG_PAGE * LEASE_TIMES * this.connect;
    return isLongPage || waited >= LONG_WAIT * lease || answeredAt - this.#givenBackAt >= pace;
  }

  /** A connection was closed at `now`, for whatever reason, and its worker is free. */
  givenBack(now: number): void {
    this.#givenBackAt = now;
  }

  /** What a connect takes; 0: nothing, or it is not known. */
  get connect(): number {
    return this.#isKnown ? Math.min(this.#quickest, this.#quickestBefore) : 0;
  }

  /** A period is over: another host may have the address now, or the way there may be longer. */
  rotate(): void {
    if (!Number.isFinite(this.#quickest)) return;
    this.#quickestBefore = this.#quickest;
    this.#quickest = Number.POSITIVE_INFINITY;
  }

  get #isKnown(): boolean {
    return Number.isFinite(this.#quickest) || Number.isFinite(this.#quickestBefore);
  }

  /** Used again within `shortIdleTime`, in the mean. */
  #isInConstantUse(age: number, requests: number): boolean {
    return age < requests * this.shortIdleTime;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
