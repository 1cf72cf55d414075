/**
 * The counters of a Pool or, summed up, of an Upstream.
 * This folder: what a pool counts and measures. It imports nothing that acts.
 */
import { CLOSE_REASONS, type CloseReason, noneClosed } from '../../connection/reuse.ts';
import type { Summary } from './histogram.ts';

/** What undici calls `free`, `running` and `pending` is nginx's `idle`, `busy` and `queued` here; `size` is the sum of the last two. */
export interface Stats {
  /** Sockets that are open, or being opened. */
  readonly connected: number;
  /** Of those, with a request on them, or with a script whose client has left. */
  readonly busy: number;
  /** Of those, kept for the next request. */
  readonly idle: number;
  /** How many sockets have been seen to run at once: at least so many workers php-fpm has for us. null: not yet known. */
  readonly workers: number | null;
  /** Requests that wait for a connection. */
  readonly queued: number;
  /** How long the first in line has waited since it was let in, ms; 0 where none waits. */
  readonly queueAge: number;
  /** Requests that ended well, since the start. */
  readonly served: number;
  /** Requests sent once more, or given to another server as one could not be connected, since the start. */
  readonly retried: number;
  /** Requests that were turned away because the queue was too long or too slow, since the start. */
  readonly refused: number;
  /** Closed sockets by reason, since the start. */
  readonly closed: Readonly<Record<CloseReason, number>>;
  /** How long the requests of the last minute waited for a connection, ms. */
  readonly waiting: Summary;
  /** How long they took from then to the end of the response, ms. */
  readonly running: Summary;
}

/** What one server counts. */
export interface ServerCounts {
  readonly connected: number;
  readonly idle: number;
  /** 0: not yet known. */
  readonly workers: number;
  readonly served: number;
  readonly retried: number;
  readonly closed: Readonly<Record<CloseReason, number>>;
}

/** What concerns the queue, which several servers share. */
type QueueStats = Pick<Stats, 'queued' | 'queueAge' | 'refused' | 'waiting' | 'running'>;

/** What can be said of one server of several. */
export type ConnectionStats = Omit<Stats, keyof QueueStats>;

export function statsOf(servers: readonly ServerCounts[], queue: QueueStats): Stats {
  return { ...connectionStats(servers), ...queue };
}

export function connectionStats(servers: readonly ServerCounts[]): ConnectionStats {
  const sum = (of: (server: ServerCounts) => number): number =>
    servers.reduce((total, server) => total + of(server), 0);
  const closed = noneClosed();
  for (const reason of CLOSE_REASONS) closed[reason] = sum((server) => server.closed[reason]);
  const connected = sum((server) => server.connected);
  const idle = sum((server) => server.idle);
  return {
    connected,
    busy: connected - idle,
    idle,
    workers: sum((server) => server.workers) || null,
    served: sum((server) => server.served),
    retried: sum((server) => server.retried),
    closed,
  };
}

/** One in place of several servers that are gone: what they did, and nothing that they have. */
export function addCounts(servers: readonly ServerCounts[]): ServerCounts {
  const { served, retried, closed } = connectionStats(servers);
  return { connected: 0, idle: 0, workers: 0, served, retried, closed };
}
