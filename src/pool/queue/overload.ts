/**
 * Is a request let in, or refused at once? A burst may wait, and so may clients who ask again only when they have been
 * answered: their queue stands, but does not grow. Where more comes than is answered, the queue must not grow old:
 * where clients give up after 2 s, a queue that is 2 s old serves nobody. So nobody more is taken who would wait longer
 * than LONGEST_WAIT at its pace, or than a few pages take here: where each takes a second, a wait of two is no overload.
 * Times in ms.
 */

import { type Counted, Counts, LONGEST_WINDOW } from './counts.ts';
import { Level } from './level.ts';
import { Patience } from './patience.ts';
import { Trial } from './trial.ts';

/** A queue younger than this is a burst. */
export const BURST = 150;
const LONGEST_WAIT = 300;
const TIMES_USUAL = 2.5;
/** While it is tried whether it grows at all. */
const TRIED_WAIT = 700;
/** The longest wait in a queue that does not grow. */
const LONGEST_STANDING = 1_500;
/** Its pace is told from so long: slow pages, or a database, may hold all workers for a moment, in which next to nothing is answered. */
const STANDING_WINDOW = 5_000;
/** It grows where a tenth more comes than is answered, and more than may be chance. */
const GROWTH = 0.1;
const LEAST_GROWTH = 2;
/** It shrinks where, while so many are answered, fewer come than chance explains. */
const SHRINKING_ANSWERS = 64;
/** What comes by chance alone: so many times the root of what was answered. That is about what both together vary by. */
const CHANCE = 1.5;
/** By so many answers at least: where each process has a few a second, one second shows nothing. */
const LEAST_ANSWERS = 32;
/** Or by so many: a fifth more than is answered is no chance then. Where 20 a second are, it had to be 1.5 s long before anybody was refused. */
const MANY_ANSWERS = 96;
/** While nothing is answered at all (a restart, say), everybody may wait for so long, and then so many for each that runs. */
const SILENCE = 2_000;
const ROUNDS_IN_SILENCE = 3;
/** What comes and what is answered is counted over the last second, or over a few pages where each takes long. */
const LEAST_WINDOW = 1_000;
const WINDOW_PAGES = 4;
/** So many answers in a row that come too late are no chance. */
const LATEST = 3;
/** Whoever was let in to wait for LONGEST_WAIT, and has waited for a third longer, was promised too much: the pace is another now. */
const STALE = (4 * LONGEST_WAIT) / 3;
/** Nothing was answered for so long, and for so many times what usually lies between two answers: php-fpm restarts, say, or a table is locked. */
const LEAST_SILENCE = 500;
const SILENT_GAPS = 4;

/** What the queue is like. */
export interface Arrival {
  readonly now: number;
  readonly queued: number;
  /** Sent; some of them may wait in the backlog of the server. */
  readonly sent: number;
  /** As far as they are known. */
  readonly workers: number;
  /** What the usual request takes from sending to the end: two of five took no longer. 0: not known. */
  readonly usual: number;
  /** Of those that are sent, so many are known to wait in the backlog of the server. */
  readonly inBacklog: number;
  /** ms that one more would wait in the backlog of the server, as far as that is known. */
  readonly backlog: number;
}

/** Who has waited for too long. */
export interface Stale {
  /** Those that were let in by then. */
  readonly by: number;
  /** So many of them at the most, the oldest first; 0: nobody is to be refused any more. */
  readonly most: number;
}

export class Overload {
  readonly #served: Counts = new Counts();
  /** Those that were refused although they had been let in. */
  readonly #stale: Counts = new Counts();
  /** How many more have come than were answered. */
  readonly #unanswered: Level = new Level();
  readonly #trial: Trial = new Trial();
  readonly #patience: Patience = new Patience();
  /** What the last few took from sending to the end. */
  readonly #latest: number[] = [];
  #answers = 0;
  /** When a worker was idle for the last time. */
  #idleAt = Number.NEGATIVE_INFINITY;
  /** Since then: the least that a request took from sending to the end, and how many were answered within that time. */
  #least = Number.POSITIVE_INFINITY;
  #atOnce = 0;
  /** When the latest was answered. */
  #servedAt = 0;
  /** Nothing was answered then, for long. */
  #silentAt = Number.NEGATIVE_INFINITY;

  /** A worker is idle: whoever waits from now on begins a new queue. */
  idle(now: number): void {
    this.#idleAt = now;
    this.#least = Number.POSITIVE_INFINITY;
    this.#atOnce = 0;
    this.#patience.idle();
  }

  /** A response was whole, `took` ms after its request was sent, and `age` after it was let in; -1: its client had left. */
  served(now: number, took: number, age: number = took): void {
    // What was counted in the time of a slow one shows nothing of quick ones.
    if (took < this.#least / 2) this.#atOnce = 0;
    this.#least = Math.min(this.#least, took);
    this.#served.add(now);
    this.#servedAt = now;
    this.#unanswered.change(-1, now);
    this.#latest[this.#answers++ % LATEST] = took;
    if (age >= 0) this.#patience.answered(now, age);
  }

  /** A worker has died with its request: another takes its place, so it shows the pace as an answer does. */
  died(now: number): void {
    this.#served.add(now);
    this.#unanswered.change(-1, now);
  }

  /** A client has left unanswered, `age` ms after its request was let in. `isSent`: its script runs, or will. */
  left(now: number, age: number, isSent: boolean): void {
    // Who waits no more makes the queue no longer; a script that runs is counted when it ends.
    if (!isSent) this.#unanswered.change(-1, now);
    this.#patience.left(now, age, isSent, this.#least);
  }

  /** Who is answered within so many ms is still there; Infinity: not known. */
  longestStay(now: number): number {
    return this.#patience.longest(now);
  }

  /** A request has come, and is let in or not. */
  arrived(now: number): void {
    this.#unanswered.change(1, now);
  }

  /**
   * One more could be sent at once, and would wait behind those of other processes in the backlog of the server. null: it may. Else
   * its client would have left: the last few took too long. The number says by how many ms.
   */
  refusesToSend({ now, sent, workers, backlog }: Arrival): number | null {
    const tooLong = this.#outstays(now, backlog);
    return tooLong > 0 && sent >= workers ? tooLong : null;
  }

  /** The quickest page counts while the usual one is not known. */
  #usual(told: number): number {
    return told > 0 || this.#least > LONGEST_WINDOW ? told : this.#least;
  }

  /**
   * A worker has a request of that age, ms, and its script has not begun. null: it may. Else its client would have left. Who has waited for
   * nobody may in any case: what pages take now is known of those alone that are let in.
   */
  isTooOld(now: number, age: number): number | null {
    const tooLong = this.#outstays(now, age);
    return age > BURST && tooLong > 0 ? tooLong : null;
  }

  /** By so many ms it would be answered later than its client stays, where it is `age` ms old once its script begins. */
  #outstays(now: number, age: number): number {
    return age + Math.min(...this.#latest) - this.#patience.longest(now);
  }

  /** null: one more may wait, in the queue or in the backlog. Else it is refused, and the number says in how many ms it might be let in. */
  refuses(arrival: Arrival): number | null {
    const { now, queued, sent, inBacklog, workers: known, usual: told } = arrival;
    const age = now - this.#idleAt;
    // What waits in the backlog has a connection, and is no nearer to a worker for that.
    const inLine = queued + inBacklog;
    // Where nothing is sent, no server is known yet, or all of them are being tried again.
    if (sent === 0 || age < BURST || inLine === 0) return null;
    const longestStay = this.#patience.longest(now);
    // A page's wait is no overload, if clients stay so long.
    if (inLine < known && longestStay === Number.POSITIVE_INFINITY) return null;
    const usual = this.#usual(told);
    const window = windowOf(usual);
    const { count: served, time } = this.#served.since(this.#idleAt, now, window);
    if (served === 0) return age < SILENCE || queued < ROUNDS_IN_SILENCE * sent ? null : LEAST_WINDOW;
    const workers = this.#workersOf(arrival, served);
    const waiting = queued + Math.max(0, sent - workers);
    // What the workers have in hand is half done, on the average.
    const pace = (served + workers / 2) / time;
    const tooLong = ((queued + sent + 1) * time) / served - longestStay;
    if (tooLong > 0 && waiting / pace > BURST) return tooLong;
    // So long anybody may wait, and the rest takes a while to count.
    if (inLine < known || waiting / pace <= LONGEST_WAIT) return null;
    // `usual` may have in it what requests waited in the backlog of the server.
    const page = usual * Math.min(1, Math.max(workers / sent, 0.5));
    const latest = this.#shrinking(now, usual);
    const isGrowing =
      latest === null &&
      (this.#growth(now, window, usual) > 0 || this.#growth(now, window, usual, MANY_ANSWERS) > 0);
    const standing = this.#served.since(this.#idleAt, now, STANDING_WINDOW);
    const paces = isGrowing ? [] : [standing, latest ?? standing];
    const wait = waiting / Math.max(pace, ...paces.map(({ count, time }) => (count + workers / 2) / time));
    // Some of those that were sent first may still run: no pace can be told yet.
    if (!isGrowing && standing.count < sent && age < SILENCE) return null;
    const pages = TIMES_USUAL * page;
    const longest = Math.max(isGrowing ? LONGEST_WAIT : LONGEST_STANDING, pages);
    if (wait <= longest) return null;
    const fits = wait <= Math.max(TRIED_WAIT, pages);
    return isGrowing && this.#trial.allows(now, fits, 2 * window + page) ? null : wait - longest;
  }

  /** Those that are known to wait for a worker have none. Where none is known to, and one of eight has been answered, the others may run as well. */
  #workersOf({ now, sent, inBacklog, workers: known }: Arrival, served: number): number {
    const most = Math.max(1, sent - inBacklog);
    // Workers are known once all have had their turn.
    if (inBacklog === 0 && served < sent) return sent;
    return Math.max(known, Math.min(most, this.#answeredAtOnce(now)));
  }

  /**
   * Sockets that are closed after each slow page hardly show how many workers there are. But whoever came first has waited for
   * nobody: within the time that the quickest request took, a worker answers one.
   */
  #answeredAtOnce(now: number): number {
    const { count } = this.#served.since(Math.max(this.#idleAt, now - this.#least), now, LONGEST_WINDOW);
    this.#atOnce = Math.max(this.#atOnce, count);
    return this.#atOnce;
  }

  /**
   * Called every few ms while somebody waits, the oldest of them since `oldest`. Who has been let in, and is refused all the same? While more
   * comes than is answered, those who have waited for longer than anybody is let in for: they came when the pace was another, as
   * another process had not come yet, say, and would be answered when their clients are gone. No more of them than have come
   * beyond what was answered: clients who ask again only when they have been answered may seem to be more for a moment.
   * Whoever has come before nothing was answered for a while may wait on, and so may one for each worker.
   */
  stale({ now, queued, sent, workers, usual: told }: Arrival, oldest: number): Stale {
    const silence = this.#longSilence();
    if (silence === Number.POSITIVE_INFINITY || now - this.#servedAt > silence) this.#silentAt = now;
    const usual = this.#usual(told);
    const by = now - Math.max(STALE, TIMES_USUAL * usual);
    if (oldest > by || oldest < Math.max(this.#silentAt, this.#idleAt) || this.#trial.isOn(now))
      return { by, most: 0 };
    const window = windowOf(usual);
    const growth = this.#shrinking(now, usual) === null ? this.#growth(now, window, usual) : 0;
    const most = growth - this.#stale.since(this.#idleAt, now, window).count;
    return { by, most: Math.max(0, Math.min(most, queued + sent - 2 * workers)) };
  }

  /** So long is long for nothing to be answered, by what was answered since the queue began. Infinity: nothing was. */
  #longSilence(): number {
    const { count, time } = this.#served.since(this.#idleAt, this.#servedAt, STANDING_WINDOW);
    return Math.max(LEAST_SILENCE, (SILENT_GAPS * time) / count);
  }

  refusedStale(now: number): void {
    this.#stale.add(now);
  }

  /**
   * Since the burst with which the queue began, or in the window: how many more come than are answered? 0: no more do. Workers that have begun
   * together answer together, and all of their clients ask a moment later: so it is compared with the highest that it was for a page's time.
   * Over `answers` at the least: by few alone for those who were let in, as each of them is refused for one that has come of late.
   */
  #growth(now: number, window: number, usual: number, answers: number = LEAST_ANSWERS): number {
    const time = Math.max(window, this.#served.timeOf(answers, now));
    const since = Math.max(this.#idleAt + BURST, now - time);
    const { count: served } = this.#served.since(since, now, LONGEST_WINDOW);
    const page = Math.min(usual, window);
    const before = this.#unanswered.highest(Math.max(this.#idleAt, since - page), since, now);
    const growth = this.#unanswered.value - before;
    return growth > leastChange(served) ? growth : 0;
  }

  /**
   * php-fpm stood still for a second (its host was out of memory, say): what came meanwhile would seem to grow for another one, while
   * the queue gets shorter already. What was answered of late, where it does so; null: it does not. Workers that answer together, and
   * clients that ask a moment later, show nothing: so it is compared with the highest that it is for a page's time.
   */
  #shrinking(now: number, usual: number): Counted | null {
    const page = Math.min(usual, LONGEST_WINDOW);
    const time = Math.max(page, this.#served.timeOf(SHRINKING_ANSWERS, now));
    const latest = this.#served.since(Math.max(this.#idleAt, now - time), now, LONGEST_WINDOW);
    const before = this.#unanswered.highest(now - time, now - page, now);
    const fallen = before - this.#unanswered.highest(now - page, now, now);
    return fallen > leastChange(latest.count) ? latest : null;
  }
}

/** So many more or fewer are no chance. */
function leastChange(served: number): number {
  return Math.max(GROWTH * served, CHANCE * Math.sqrt(served), LEAST_GROWTH);
}

/** ms in which what comes and what is answered is counted. */
function windowOf(usual: number): number {
  return Math.min(LONGEST_WINDOW, Math.max(LEAST_WINDOW, WINDOW_PAGES * usual));
}
