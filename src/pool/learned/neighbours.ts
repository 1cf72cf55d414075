/**
 * Do others need the workers that our idle connections hold? This process cannot see them wait in php-fpm's backlog. But where many
 * processes keep an idle connection each, they have no worker for one another: pages of 2 ms, 20 a second from each of ten processes, are
 * a tenth of what four workers can do, and half of them waited for more than 30 ms. So whoever has had to wait itself keeps no idle
 * connection for a while: to open one for each request costs little, as the requests are few, or none would be idle.
 *
 * It is known of connections for which a worker was asked first (accept-check.ts). Of the others it is a guess: several of the latest were
 * answered later than the quickest of them, or than is usual on connections that have their worker. The scripts may have been slow
 * instead. A wrong guess costs a connect for a request, so it takes so much that this is an eighth of a request at the most, and little
 * on this machine. There little is enough: else one of two processes learned it, the other one never had to wait for that, and took all.
 * Where many are kept a guess is not taken lightly: a site with two kinds of pages, 400 a second, took a third more processor time by it. So
 * those are late that come later than nearly all on connections that have their worker.
 *
 * And all of that is for processes with few requests. In a busy one connections are idle for moments only, and longer where this machine is
 * busy, which makes answers late as well: with hello pages on two cores it found neighbours where there were none, closed 300 connections a
 * second, and answered a third less.
 *
 * A busy one can count instead: a new connection for which a worker has been seen of late is overtaken again and again by its kept ones, and
 * late as well, which a slow script alone is not. Then another process has that worker. A busy machine makes all of them late, and none is
 * overtaken. Without it two processes, with pages of 1.5 ms for 0.6 of what four workers can do, held workers for one another for 30 ms at a
 * time: a tenth of the requests took 40 to 120 ms, where nothing is kept 5. It is known for moments only, as it shows again at once.
 * Times in ms.
 */
import type { Clock } from '../../connection/clock.ts';

/** Known: a wait of so many connects. */
const LONG_WAIT = 3;
/** Guessed: so many connects later; and half as long again, as what takes longer varies by more. */
const LATE_CONNECTS = 20;
const LATE = 1.5;
/** Shorter ones are no sign: our own event loop takes as long. */
const LEAST_WAIT = 1;
const LATEST = 8;
/** Of so many answers on connections that have their worker all but one are usual: that may be an accident. */
const USUAL = 64;
/** One slow script, or a moment in which this machine stood still, is no sign. */
const SIGNS = 3;
/** A process is busy that has an answer within so many ms, in the mean of twice so many answers at the most. */
const BUSY_INTERVAL = 2;
const BUSY_ANSWERS = 64;
/** For so long none is kept; twice as long each time that it comes to that again soon. */
const FIRST = 10_000;
const LONGEST = 80_000;
/** And for so long, where it was counted: in the simulator as good as 10 s, as it shows again at once, and better than one, which is forgotten before that. */
const COUNTED = 3_000;

export class Neighbours {
  /** What the latest new connections took to their first byte. */
  readonly #latest: number[] = [];
  /** How many had been answered on connections that have their worker, at each of them. */
  readonly #keptBefore: number[] = [];
  /** What the latest USUAL of those took. */
  readonly #usual: number[] = [];
  #kept = 0;
  #until = Number.NEGATIVE_INFINITY;
  #time = FIRST;
  #countedUntil = Number.NEGATIVE_INFINITY;
  /** All answers, and when the latest BUSY_ANSWERS of them began, and those before. */
  #answers = 0;
  #notedAt = Number.NEGATIVE_INFINITY;
  #notedBefore = Number.NEGATIVE_INFINITY;

  /** One of our connections has waited so long for a worker. `connect`: what a connect takes. */
  waited(wait: number, connect: number, now: number): void {
    if (wait >= Math.max(LEAST_WAIT, LONG_WAIT * connect)) this.#found(now);
  }

  /** A new one, for which no worker was asked, was overtaken as if another process had its worker, and had its first byte `after` so long. */
  overtaken(after: number, connect: number, now: number): void {
    if (after >= lateAfter(this.#usualKept, connect)) this.workerWasTaken(now);
  }

  /** Another process has had the worker of one of ours. Where it was asked for, no script can have been slow: what has overtaken it shows that. */
  workerWasTaken(now: number): void {
    this.#countedUntil = now + COUNTED;
  }

  /** One that had its worker had its first byte `after` so long. */
  keptAnswered(after: number, clock: Pick<Clock, 'now'>): void {
    this.#usual[this.#kept++ % USUAL] = after;
    // The hot path: no time is read.
    if (++this.#answers % BUSY_ANSWERS === 0) this.#note(clock.now());
  }

  /** A new one, for which no worker was asked, had its first byte `after` so long. `mean`: of those that had their worker; Infinity: not known. */
  answered(after: number, mean: number, connect: number, now: number): void {
    if (++this.#answers % BUSY_ANSWERS === 0) this.#note(now);
    const latest = this.#latest;
    latest.push(after);
    this.#keptBefore.push(this.#kept);
    if (latest.length > LATEST) {
      latest.shift();
      this.#keptBefore.shift();
    }
    const late = lateAfter(this.#usualTime(mean), connect);
    if (latest.filter((one) => one >= late).length < SIGNS) return;
    // The next time it takes others.
    latest.length = 0;
    this.#keptBefore.length = 0;
    if (!this.#isBusy(now)) this.#found(now);
  }

  /** Where fewer are kept than are new, to keep them is worth little. */
  #usualTime(mean: number): number {
    const [keptBefore = 0] = this.#keptBefore;
    if (this.#kept - keptBefore < LATEST) return Math.min(mean, ...this.#latest);
    return this.#usualKept;
  }

  /** All but one of the latest that had their worker took no longer. */
  get #usualKept(): number {
    const [, longestButOne = 0] = this.#usual.toSorted((a, b) => b - a);
    return longestButOne;
  }

  needWorkers(clock: Pick<Clock, 'now'>): boolean {
    // The hot path: no time is read.
    if (Math.max(this.#until, this.#countedUntil) === Number.NEGATIVE_INFINITY) return false;
    const now = clock.now();
    return now < this.#countedUntil || (now < this.#until && !this.#isBusy(now));
  }

  #note(now: number): void {
    this.#notedBefore = this.#notedAt;
    this.#notedAt = now;
  }

  #isBusy(now: number): boolean {
    return now - this.#notedBefore < 2 * BUSY_ANSWERS * BUSY_INTERVAL;
  }

  #found(now: number): void {
    if (now >= this.#until)
      this.#time = now < this.#until + this.#time ? Math.min(LONGEST, 2 * this.#time) : FIRST;
    this.#until = now + this.#time;
  }
}

/** What comes after so long is late, where others take `usual`. */
function lateAfter(usual: number, connect: number): number {
  return Math.max(LATE * usual, usual + Math.max(LEAST_WAIT, LATE_CONNECTS * connect));
}
