/**
 * One server's passive health check: nginx's `maxFails` within `failTimeout`, with truer kinds of failure, and a time
 * of being left alone that grows while it does not come back. Times in ms.
 * This folder: is a server up? Pure rules over what its requests met, and the active check. It knows no queue.
 */
import type { FailureKind } from './failure.ts';

/** So many times `failTimeout` it is left alone at the most. */
const LONGEST = 6;
/** A server that is busy is left alone for this time first, then twice as long, ... */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

export interface Failure {
  readonly kind: FailureKind;
  /** When the request was given to the server. */
  readonly startedAt: number;
  /** Other requests that run there now. */
  readonly others: number;
  /** For people. */
  readonly message: string;
}

export type HealthState =
  /** Asked like any other. */
  | 'up'
  /** Left alone. */
  | 'failed'
  /** It was left alone for long enough: one request at a time, until one is answered. */
  | 'trial'
  /** It has said that it is busy: others first. */
  | 'busy';

export class Health {
  /** Failures that count, since the last answer or within `failTimeout`. */
  fails = 0;
  /** What it failed with, the latest that counted; '' while it is up. */
  why = '';
  /** When it came back from having been left alone; -Infinity: it never was. */
  recoveredAt: number = Number.NEGATIVE_INFINITY;
  /** It is left alone up to then. */
  until: number = Number.NEGATIVE_INFINITY;
  readonly #maxFails: number;
  readonly #failTimeout: number;
  #failedAt = Number.NEGATIVE_INFINITY;
  #ejections = 0;
  #ejected = false;
  /** Since it was left alone a check of ours has found it well. */
  #hasShown = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** Connections that died in a row, with no answer between, and how many requests ran beside the first of them. */
  #deaths = 0;
  #runningAtFirstDeath = 0;
  #pause = FIRST_PAUSE;
  #busyUntil = Number.NEGATIVE_INFINITY;

  /** `maxFails` 0: never left alone. */
  constructor(maxFails: number, failTimeout: number) {
    this.#maxFails = maxFails;
    this.#failTimeout = failTimeout;
  }

  /** `mustShow`: it is not tried with a request of a client's before a check of ours has found it well. */
  state(now: number, mustShow = false): HealthState {
    if (this.#ejected) return now < this.until || (mustShow && !this.#hasShown) ? 'failed' : 'trial';
    return now < this.#busyUntil ? 'busy' : 'up';
  }

  /** True: it counts against the server, rather than against the script or the caller. */
  failed(failure: Failure, now: number): boolean {
    if (failure.kind === 'busy') this.#busy(now);
    if (!this.#counts(failure)) return false;
    if (now - this.#failedAt > this.#failTimeout && !this.#ejected) this.fails = 0;
    this.fails++;
    this.#failedAt = now;
    this.why = failure.message;
    if (this.#maxFails === 0 || (!this.#ejected && this.fails < this.#maxFails)) return true;
    // Those that were under way when it was left alone say nothing new.
    if (this.#ejected && now < this.until) return true;
    this.#eject(now);
    return true;
  }

  /** A request that was given to the server at `startedAt` has been answered. */
  answered(startedAt: number, now: number): void {
    this.#answeredAt = now;
    this.#deaths = 0;
    this.#pause = FIRST_PAUSE;
    this.#busyUntil = Number.NEGATIVE_INFINITY;
    if (this.#ejected && startedAt < this.#failedAt) return;
    if (this.#ejected) this.recoveredAt = now;
    this.#ejected = false;
    this.fails = 0;
    this.why = '';
  }

  /** A check of ours has found it well. */
  hasShown(now: number): void {
    this.until = Math.min(this.until, now);
    this.#hasShown = true;
  }

  #counts({ kind, startedAt, others }: Failure): boolean {
    switch (kind) {
      case 'unreachable':
      case 'nonsense':
        return true;
      case 'silent':
        return this.#answeredAt < startedAt;
      case 'died':
        if (this.#answeredAt >= startedAt && !this.#ejected) return false;
        if (this.#deaths === 0) this.#runningAtFirstDeath = others;
        this.#deaths++;
        // Each of those that ran when the first died has died as well, and nobody was answered.
        return this.#ejected || this.#deaths > Math.max(1, this.#runningAtFirstDeath);
      default:
        return false;
    }
  }

  #eject(now: number): void {
    // What lies long behind is forgotten.
    if (!this.#ejected && now - this.until > LONGEST * this.#failTimeout) this.#ejections = 0;
    this.#ejections = Math.min(this.#ejections + 1, LONGEST);
    this.#ejected = true;
    this.#hasShown = false;
    this.until = now + this.#ejections * this.#failTimeout;
  }

  #busy(now: number): void {
    this.#busyUntil = now + this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }
}
