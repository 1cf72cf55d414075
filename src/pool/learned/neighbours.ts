/**
 * Do others need the workers that our idle connections hold? This process cannot see them wait in php-fpm's backlog. But where many
 * processes keep an idle connection each, they have no worker for one another: pages of 2 ms, 20 a second from each of ten processes, are
 * a tenth of what four workers can do, and half of them waited for more than 30 ms. So whoever has had to wait itself keeps no idle
 * connection for a while: to open one for each request costs little, as the requests are few, or none would be idle.
 *
 * It is known of connections for which a worker was asked first (accept-check.ts), and so not of slow scripts. Times in ms.
 */

/** So many connects are little beside a wait. */
const CONNECTS = 20;
const LEAST_WAIT = 2;
/** For so long none is kept; twice as long each time that it comes to that again soon. */
const FIRST = 10_000;
const LONGEST = 80_000;

export class Neighbours {
  #until = Number.NEGATIVE_INFINITY;
  #time = FIRST;

  /** One of our connections has waited so long for a worker. `connect`: what a connect takes. */
  waited(wait: number, connect: number, now: number): void {
    if (!isLong(wait, connect)) return;
    if (now >= this.#until)
      this.#time = now < this.#until + this.#time ? Math.min(LONGEST, 2 * this.#time) : FIRST;
    this.#until = now + this.#time;
  }

  needWorkers(clock: { now(): number }): boolean {
    // The hot path: no time is read.
    return this.#until !== Number.NEGATIVE_INFINITY && clock.now() < this.#until;
  }
}

/** Has one that was connected in `connect` waited for others, after so long? */
export function isLong(wait: number, connect: number): boolean {
  return wait >= Math.max(LEAST_WAIT, CONNECTS * connect);
}
