/** The counters of a Pool or, summed up, of an Upstream. */
import type { CloseReason } from '../connection/reuse.ts';

export interface Stats {
  /** Sockets that are open, or being opened. */
  readonly connected: number;
  /** Of those, with a request on them. */
  readonly busy: number;
  /** Of those, kept for the next request. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly queued: number;
  /** Requests that ended well, since the start. */
  readonly served: number;
  /** Requests sent once more, since the start. */
  readonly retried: number;
  /** Closed sockets by reason, since the start. */
  readonly closed: Readonly<Record<CloseReason, number>>;
}
