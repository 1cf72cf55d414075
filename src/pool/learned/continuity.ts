/**
 * Is it still the same server that stands at a host and port? Of a unix socket its file tells (connection/socket/endpoint.ts); by TCP all that
 * can be seen is that for a moment nobody was there, or that nobody has looked. Then php-fpm may have been started anew, and a TCP proxy put
 * in front of it. A proxy that takes over while php-fpm goes on, as by a rule of the firewall, is seen by nothing.
 *
 * Decisions only; times are given, in ms, monotonic.
 */

import type { CloseReason } from '../../connection/reuse.ts';

/**
 * ms without any connection to it, behind which it may be another. So what has little to do, or closes all that it is sent, is looked at once a
 * second at the most.
 */
const LOST_SIGHT = 1_000;

/** Those reasons that say nothing of a server that was there to the last. */
const ENDED_BY_SERVER: ReadonlySet<CloseReason> = new Set([
  'failed',
  'reset',
  'server-closed',
  'recycled',
  'unanswered',
]);

export class Continuity {
  #open = 0;
  /** When it was the one that is known, for the latest time. */
  #seenAt = Number.NEGATIVE_INFINITY;
  #wasRefused = false;
  #hasClosedIdle = false;

  /** Nobody listened. */
  refused(): void {
    this.#wasRefused = true;
  }

  /** A socket is connected at `now`, of which opened() has not been told yet. True: it may lead to another server than those before. */
  connected(now: number): boolean {
    // php-fpm that stops goes on listening while it has a worker that is busy.
    const isOutOfSight = this.#open === 0 && (this.#hasClosedIdle || now - this.#seenAt >= LOST_SIGHT);
    const isBroken = this.#wasRefused || isOutOfSight;
    this.#wasRefused = false;
    if (isBroken) this.#seenAt = now;
    return isBroken;
  }

  /** A connection may carry requests. */
  opened(): void {
    this.#open++;
    this.#hasClosedIdle = false;
  }

  /**
   * It is closed. `isSettled`: it was idle, and not just behind its latest answer (see IdleState). A worker closes there at
   * `pm.max_requests`, later php-fpm does so when it stops.
   */
  closed(reason: CloseReason, isSettled: boolean, now: number): void {
    this.#open--;
    if (!ENDED_BY_SERVER.has(reason)) this.#seenAt = now;
    else if (isSettled) this.#hasClosedIdle = true;
  }
}
