/** Several FastCGI servers behind one Dispatcher: a request that one of them has provably not run goes to the next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CLOSE_REASONS, type CloseReason } from '../connection/reuse.ts';
import { systemRuntime } from '../connection/runtime.ts';
import { type Address, parseAddress } from '../connection/socket/address.ts';
import { ArgumentError, ConnectError, FcgiError, PoolError } from '../errors.ts';
import { AbortListeners } from '../pool/abort-listeners.ts';
import { PoolCore } from '../pool/core.ts';
import type { Dispatcher, DispatchHandler, DispatchRequest, FcgiResponse } from '../pool/dispatcher.ts';
import { Job } from '../pool/job.ts';
import {
  checkOption,
  choice,
  type OptionRule,
  type PoolOptions,
  type PoolSettings,
  resolveOptions,
} from '../pool/options.ts';
import { requestBy } from '../pool/request/response.ts';
import type { Stats } from '../pool/stats.ts';
import { choose } from './health.ts';
import { Server, type ServerOptions } from './server.ts';

export interface UpstreamOptions extends PoolOptions {
  /** `'round-robin'` (default, by weight) or `'least-conn'`: the server with the fewest requests for its weight. */
  readonly balance?: 'round-robin' | 'least-conn' | undefined;
}

/** A server, as nginx's `server` directive has it. */
export interface UpstreamServer extends ServerOptions {
  readonly address: Address;
}

const balanceRule: OptionRule<'round-robin' | 'least-conn'> = choice('round-robin', 'least-conn');

/** ms between two rounds over servers that all refuse, jittered. */
const PAUSE = 100;

/**
 * Pools to several servers; `options` hold for each of them (`connections` per server). Where all refuse, they are
 * asked again within `connectTimeout`; then the request fails with FCGI_ERR_NO_LIVE_UPSTREAM, whose cause is the
 * last refusal.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: no server, an address, or an option that cannot be.
 */
export class Upstream implements Dispatcher {
  readonly #servers: readonly Server[];
  readonly #settings: PoolSettings;
  readonly #balance: 'round-robin' | 'least-conn';
  /** What has been tried, of jobs that one server at least has failed. */
  readonly #visits: WeakMap<Job, { since: number; servers: Set<Server> }> = new WeakMap();

  constructor(servers: readonly (Address | UpstreamServer)[], options: UpstreamOptions = {}) {
    const { balance, ...poolOptions } = options;
    checkOption('balance', balance, balanceRule);
    this.#balance = balance ?? balanceRule.default;
    this.#settings = resolveOptions(poolOptions);
    if (!Array.isArray(servers) || servers.length === 0) {
      throw new ArgumentError(
        'FCGI_ERR_INVALID_ARG',
        'servers',
        'servers must be a list of at least one address',
      );
    }
    const alone = servers.length === 1;
    const signals = new AbortListeners();
    this.#servers = servers.map((given: Address | UpstreamServer) => {
      const { address, ...rest } = isServer(given) ? given : { address: given };
      const core = new PoolCore(parseAddress(address), this.#settings, alone, systemRuntime, signals);
      return new Server(core, rest, (job, from, error) => this.#moveOn(job, from, error));
    });
  }

  get stats(): Stats {
    return this.#servers.map((server) => server.core.stats).reduce(sum);
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    const server = choose(this.#servers, new Set(), performance.now(), this.#balance);
    if (server !== null) server.core.start(new Job(server, request, handler));
  }

  request(request: DispatchRequest): Promise<FcgiResponse> {
    return requestBy(this, request, this.#settings.bodyTimeout);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.core.close()));
  }

  async destroy(reason?: Error): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.core.destroy(reason)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** True: another server has the job now, or will have it soon. */
  #moveOn(job: Job, from: Server, error: unknown): boolean {
    if (this.#servers.length === 1 || job.over || job.aborted || !isMovable(job, error, this.#settings))
      return false;
    const visit = this.#visits.get(job) ?? { since: performance.now(), servers: new Set<Server>() };
    this.#visits.set(job, visit);
    visit.servers.add(from);
    if (visit.servers.size > this.#settings.tries) return false;
    const next = choose(this.#servers, visit.servers, performance.now(), this.#balance);
    if (next !== null) {
      next.adopt(job, from);
      return true;
    }
    const waited = performance.now() - visit.since;
    if (error instanceof ConnectError && waited + 2 * PAUSE < this.#settings.connectTimeout) {
      visit.servers.clear();
      void this.#anotherRound(job, from);
      return true;
    }
    job.fail(noneLeft(error, this.#servers.length));
    return true;
  }

  async #anotherRound(job: Job, from: Server): Promise<void> {
    await sleep(PAUSE * (0.5 + Math.random()));
    if (job.over) return;
    choose(this.#servers, new Set(), performance.now(), this.#balance)?.adopt(job, from);
  }
}

/** What provably did not run, and can be sent once more. */
function isMovable(job: Job, error: unknown, settings: PoolSettings): boolean {
  if (!(error instanceof FcgiError) || error instanceof ArgumentError || error.executed !== 'no')
    return false;
  if ((job.request.retry ?? settings.retry) === 'never') return false;
  return job.replayable;
}

function noneLeft(cause: unknown, servers: number): PoolError {
  const hint = cause instanceof FcgiError ? cause.hint : '';
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `none of ${servers} servers took the request; the last: ${why}`;
  return new PoolError('FCGI_ERR_NO_LIVE_UPSTREAM', message, { cause, facts: { hint } });
}

function isServer(given: Address | UpstreamServer): given is UpstreamServer {
  return typeof given === 'object' && given !== null && 'address' in given;
}

function sum(a: Stats, b: Stats): Stats {
  const closed: Record<CloseReason, number> = { ...a.closed };
  for (const reason of CLOSE_REASONS) closed[reason] += b.closed[reason];
  return {
    connected: a.connected + b.connected,
    busy: a.busy + b.busy,
    idle: a.idle + b.idle,
    queued: a.queued + b.queued,
    served: a.served + b.served,
    retried: a.retried + b.retried,
    closed,
  };
}
