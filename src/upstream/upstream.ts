/** Several FastCGI servers behind one Dispatcher: a request that one of them has provably not run goes to the next. */
import { type Runtime, systemRuntime } from '../connection/runtime.ts';
import { type Address, parseAddress } from '../connection/socket/address.ts';
import { ArgumentError, ConnectError, FcgiError, PoolError } from '../errors.ts';
import type { Dispatcher, DispatchHandler, DispatchRequest, FcgiResponse } from '../pool/dispatcher.ts';
import type { Job } from '../pool/job.ts';
import {
  checkOption,
  choice,
  type OptionRule,
  type PoolOptions,
  type PoolSettings,
  resolveOptions,
} from '../pool/options.ts';
import { requestBy } from '../pool/request/response.ts';
import { type Balancer, Scheduler } from '../pool/scheduler.ts';
import { Server } from '../pool/server.ts';
import type { Stats } from '../pool/stats.ts';
import { choose, countsAsFailure, eligible } from './health.ts';
import { Member, type ServerOptions } from './member.ts';

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
  readonly #scheduler: Scheduler;
  readonly #bodyTimeout: number;

  constructor(servers: readonly (Address | UpstreamServer)[], options: UpstreamOptions = {}) {
    const { balance, ...poolOptions } = options;
    checkOption('balance', balance, balanceRule);
    const settings = resolveOptions(poolOptions);
    if (!Array.isArray(servers) || servers.length === 0) {
      throw new ArgumentError(
        'FCGI_ERR_INVALID_ARG',
        'servers',
        'servers must be a list of at least one address',
      );
    }
    this.#bodyTimeout = settings.bodyTimeout;
    this.#scheduler = new Scheduler(
      settings,
      systemRuntime,
      (scheduler) =>
        new UpstreamBalancer(scheduler, servers, settings, balance ?? balanceRule.default, systemRuntime),
    );
  }

  get stats(): Stats {
    return this.#scheduler.stats;
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    this.#scheduler.dispatch(request, handler);
  }

  request(request: DispatchRequest): Promise<FcgiResponse> {
    return requestBy(this, request, this.#bodyTimeout);
  }

  close(): Promise<void> {
    return this.#scheduler.close();
  }

  destroy(reason?: Error): Promise<void> {
    return this.#scheduler.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class UpstreamBalancer implements Balancer {
  readonly servers: readonly Server[];
  readonly #scheduler: Scheduler;
  readonly #members: readonly Member[];
  readonly #settings: PoolSettings;
  readonly #balance: 'round-robin' | 'least-conn';
  readonly #runtime: Runtime;
  /** What has been tried, of jobs that one server at least has failed. */
  readonly #visits: WeakMap<Job, { since: number; members: Set<Member> }> = new WeakMap();

  constructor(
    scheduler: Scheduler,
    servers: readonly (Address | UpstreamServer)[],
    settings: PoolSettings,
    balance: 'round-robin' | 'least-conn',
    runtime: Runtime,
  ) {
    this.#scheduler = scheduler;
    this.#settings = settings;
    this.#balance = balance;
    this.#runtime = runtime;
    const alone = servers.length === 1;
    this.#members = servers.map((given) => {
      const { address, ...rest } = isServer(given) ? given : { address: given };
      return new Member(new Server(scheduler, parseAddress(address), settings, runtime, alone), rest);
    });
    this.servers = this.#members.map(({ server }) => server);
  }

  get name(): string {
    return this.servers.map(({ target }) => target.name).join(', ');
  }

  choose(job: Job): Server | null {
    return (
      this.#choose(
        job,
        this.#members.filter(({ server }) => server.hasRoom),
      )?.server ?? null
    );
  }

  suits(server: Server, job: Job): boolean {
    return (
      this.#choose(
        job,
        this.#members.filter((member) => member.server === server),
      ) !== null
    );
  }

  onServed(job: Job): void {
    this.#members.find(({ server }) => server === job.server)?.health.served();
  }

  recover(job: Job, error: unknown): boolean {
    const from = this.#members.find(({ server }) => server === job.server);
    if (from === undefined) return false;
    const now = this.#scheduler.clock.now();
    if (countsAsFailure(error)) from.health.failed(now);
    if (this.#members.length === 1 || job.over || job.aborted || !isMovable(job, error, this.#settings))
      return false;
    const visit = this.#visits.get(job) ?? { since: now, members: new Set<Member>() };
    this.#visits.set(job, visit);
    visit.members.add(from);
    if (visit.members.size > this.#settings.tries) return false;
    if (this.#members.some((member) => !visit.members.has(member))) {
      this.#scheduler.requeue(job);
      return true;
    }
    const waited = now - visit.since;
    if (error instanceof ConnectError && waited + 2 * PAUSE < this.#settings.connectTimeout) {
      visit.members.clear();
      this.#scheduler.clock.after(PAUSE * (0.5 + this.#runtime.random()), () => {
        if (!job.over) this.#scheduler.requeue(job);
      });
      return true;
    }
    job.fail(noneLeft(error, this.#members.length));
    return true;
  }

  onBeat(): void {}

  /** Of `members`, the next for this job; null: it must wait for another. */
  #choose(job: Job, members: readonly Member[]): Member | null {
    const visited = this.#visits.get(job)?.members ?? NONE;
    // With room or without: a backup is not for those who only have to wait.
    const best = eligible(this.#members, visited, this.#scheduler.clock.now());
    return choose(
      members.filter((member) => best.includes(member)),
      this.#balance,
    );
  }
}

const NONE: ReadonlySet<Member> = new Set();

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
