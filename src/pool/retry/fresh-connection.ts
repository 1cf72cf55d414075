/** Must a request go out on a fresh connection, where a kept one is at hand? The one place that says so. */

export interface Outgoing {
  readonly proxied: boolean;
  /** It is sent again even where it may have run. */
  readonly retriedAnyway: boolean;
  /** All of its body can be sent once more. */
  readonly replayable: boolean;
  /** If the connection is reset under it, that proves that it was not run; see Evidence.readBeforeScript. */
  readonly provable: boolean;
  /** The kept connection has been idle for long enough: a worker that was about to leave would have closed it. */
  readonly settled: boolean;
}

/**
 * On a kept connection a request may meet a worker that is just leaving. That does no harm where it is sure not to
 * have been run and can be sent again, so a fresh connection is for the others. A worker that is told to leave in
 * the middle of a request (a reload) closes right behind its answer: once that moment is over, the connection will
 * do for a body that PHP may leave unread, too.
 */
export function needsFreshConnection(outgoing: Outgoing): boolean {
  if (!outgoing.replayable) return true;
  // A proxy passes nothing on by which one could tell.
  if (outgoing.proxied) return !outgoing.retriedAnyway;
  return !outgoing.provable && !outgoing.retriedAnyway && !outgoing.settled;
}
