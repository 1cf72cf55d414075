/** Which server takes the next request: nginx's rules, over plain facts. Times in ms. */
import { ConnectError, FcgiError, SocketError } from '../errors.ts';

/** A server as the choice sees it. */
export interface Candidate {
  readonly weight: number;
  readonly backup: boolean;
  readonly health: Health;
  /** Requests that run or wait on it. */
  readonly load: number;
  /** Smooth weighted round robin keeps its state here. */
  current: number;
}

/** nginx's passive health check: so many failures within a time, and the server is left alone for that time. */
export class Health {
  readonly #maxFails: number;
  readonly #failTimeout: number;
  #fails = 0;
  #checked = Number.NEGATIVE_INFINITY;

  /** `maxFails` 0: never marked. */
  constructor(maxFails: number, failTimeout: number) {
    this.#maxFails = maxFails;
    this.#failTimeout = failTimeout;
  }

  available(now: number): boolean {
    return this.#maxFails === 0 || this.#fails < this.#maxFails || now - this.#checked > this.#failTimeout;
  }

  failed(now: number): void {
    if (now - this.#checked > this.#failTimeout) this.#fails = 0;
    this.#fails++;
    this.#checked = now;
  }

  served(): void {
    this.#fails = 0;
  }
}

/**
 * Does this failure speak against the server? A worker that dies while it runs a script may have been the script's
 * doing: it must not take the server away from everybody else.
 */
export function countsAsFailure(error: unknown): boolean {
  if (error instanceof ConnectError) return true;
  if (error instanceof SocketError) return error.executed === 'no' && !error.reused;
  return error instanceof FcgiError && error.code === 'FCGI_ERR_OVERLOADED';
}

/**
 * Those that may be asked now: live ones, else backups that are live, else all that were not `visited`, as where all are
 * marked as failed, all are asked again: the last server is never taken away.
 */
export function eligible<C extends Candidate>(
  servers: readonly C[],
  visited: ReadonlySet<C>,
  now: number,
): readonly C[] {
  const open = servers.filter((server) => !visited.has(server));
  const live = open.filter((server) => server.health.available(now));
  const tiers = [live.filter((server) => !server.backup), live.filter((server) => server.backup), open];
  return tiers.find((list) => list.length > 0) ?? [];
}

/** The next one by smooth weighted round robin, or the least loaded for its weight. Null: there is none. */
export function choose<C extends Candidate>(
  servers: readonly C[],
  balance: 'round-robin' | 'least-conn',
): C | null {
  return balance === 'least-conn' ? leastLoaded(servers) : roundRobin(servers);
}

function roundRobin<C extends Candidate>(servers: readonly C[]): C | null {
  let best: C | null = null;
  let total = 0;
  for (const server of servers) {
    server.current += server.weight;
    total += server.weight;
    if (best === null || server.current > best.current) best = server;
  }
  if (best !== null) best.current -= total;
  return best;
}

function leastLoaded<C extends Candidate>(servers: readonly C[]): C | null {
  let best: C | null = null;
  for (const server of servers) {
    if (best === null || server.load / server.weight < best.load / best.weight) best = server;
  }
  return best;
}
