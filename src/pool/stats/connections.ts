/** What can be seen of each connection while it lives; made when it is asked for. */
import type { Slot } from '../slots/slot.ts';

export interface ConnectionInfo {
  /** `unix:/run/php-fpm.sock` or `10.0.0.1:9000`. */
  readonly server: string;
  /**
   * - `connecting`: being opened. `busy`: a request is on it. `idle`: kept for the next one.
   * - `abandoned`: the script runs, and its client has left. `asked`: it is found out what the server is, or whether its worker is back.
   */
  readonly state: 'connecting' | 'busy' | 'idle' | 'abandoned' | 'asked';
  /** ms since it was opened; 0 while it is being opened. */
  readonly age: number;
  /** Requests sent on it. */
  readonly requests: number;
  /** SCRIPT_FILENAME of the request that is on it; '' where there is none. */
  readonly script: string;
  /** ms since that request was given to it; 0 where there is none. */
  readonly running: number;
}

interface Connected {
  readonly name: string;
  readonly open: Iterable<Slot>;
}

/** `now`: by the pool's clock, ms. */
export function connectionsOf(servers: readonly Connected[], now: number): ConnectionInfo[] {
  return servers.flatMap(({ name, open }) => Array.from(open, (slot) => infoOf(name, slot, now)));
}

function infoOf(server: string, slot: Slot, now: number): ConnectionInfo {
  const { connection, job } = slot;
  return {
    server,
    state: stateOf(slot),
    age: connection === null ? 0 : now - connection.openedAt,
    requests: connection?.requests ?? 0,
    script: job?.exchange?.script ?? '',
    running: job === null ? 0 : now - job.startedAt,
  };
}

function stateOf({ connection, job, idle }: Slot): ConnectionInfo['state'] {
  if (connection === null) return 'connecting';
  if (idle) return 'idle';
  if (job === null) return 'asked';
  return job.abandoned === null ? 'busy' : 'abandoned';
}
