/** May a request go out on a kept connection that is at hand? The one place that says so. */

/**
 * `'kept'`: as it is. `'asked'`: once its worker has answered FCGI_GET_VALUES on it, see slots/ask-kept.ts. `'fresh'`: not at all.
 */
export type Choice = 'kept' | 'asked' | 'fresh';

export interface Outgoing {
  readonly proxied: boolean;
  /** It is sent again even where it may have run. */
  readonly retriedAnyway: boolean;
  /** All of its body can be sent once more. */
  readonly replayable: boolean;
  /** If the connection is reset under it, that proves that it was not run; see Evidence.readBeforeScript. */
  readonly provable: boolean;
  /** A worker that was about to leave would have closed the kept connection by now; see IdleState. */
  readonly settled: boolean;
  /** The server is known to answer FCGI_GET_VALUES, and to keep the connection behind it. */
  readonly answers: boolean;
}

/**
 * On a kept connection a request may meet a worker that is just leaving. That does no harm where it is sure not to
 * have been run and can be sent again, so a fresh connection is for the others. A worker that is told to leave in
 * the middle of a request (a reload) closes right behind its answer: once that moment is over, or the worker has shown that it
 * waits for the next request, the connection will do for a body that PHP may leave unread, too.
 */
export function whichConnection(outgoing: Outgoing): Choice {
  if (!outgoing.replayable) return 'fresh';
  // A proxy passes nothing on by which one could tell.
  if (outgoing.proxied) return outgoing.retriedAnyway ? 'kept' : 'fresh';
  if (outgoing.provable || outgoing.retriedAnyway || outgoing.settled) return 'kept';
  return outgoing.answers ? 'asked' : 'fresh';
}
