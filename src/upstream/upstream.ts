/**
 * Several FastCGI servers behind one Dispatcher, with one queue: a request that one of them has failed goes to another.
 * This folder: several servers under one queue. It imports pool and what is below it, and knows no gateway.
 */
import { checkNoCallback } from '../arguments.ts';
import { type Runtime, systemRuntime } from '../connection/runtime.ts';
import { dispatchTraced } from '../pool/channels.ts';
import type { Dispatcher, DispatchHandler, DispatchRequest, FcgiResponse } from '../pool/dispatcher.ts';
import type { PoolSettings } from '../pool/options.ts';
import { requestBy } from '../pool/request/response.ts';
import { Scheduler } from '../pool/scheduler.ts';
import { type ConnectionInfo, connectionsOf } from '../pool/stats/connections.ts';
import { UpstreamBalancer } from './balancer.ts';
import { type ServerInput, sourcesOf } from './discovery/source.ts';
import { resolveUpstreamOptions, type UpstreamOptions } from './options.ts';
import type { UpstreamStats } from './stats.ts';

/**
 * A pool over several servers; `options` hold for each of them (`connections` per server), the queue is one. Where all
 * refuse, they are asked again within `connectTimeout`; then the request fails with FCGI_ERR_NO_LIVE_UPSTREAM, whose
 * cause is the last refusal.
 *
 * A request that failed on one server goes to another if `retry` lets it be sent again: what has provably not run always; with
 * `'idempotent'` and `'always'` also what may have run, a `headersTimeout` included where that server answered nobody else meanwhile.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: no server, an address, or an option that cannot be; `option` names it.
 */
export class Upstream implements Dispatcher {
  readonly #parts: UpstreamParts;
  readonly #resolves: boolean;
  readonly #bodyTimeout: number;

  constructor(servers: readonly ServerInput[], options: UpstreamOptions = {}) {
    this.#parts = upstreamParts(servers, options, systemRuntime);
    this.#resolves = Boolean(options.resolve);
    this.#bodyTimeout = this.#parts.pool.bodyTimeout;
  }

  get stats(): UpstreamStats {
    const { scheduler, balancer } = this.#parts;
    return { ...scheduler.stats, servers: balancer.stats };
  }

  /** Each connection of each server as it is now. */
  get connections(): readonly ConnectionInfo[] {
    const { scheduler, balancer } = this.#parts;
    return connectionsOf(balancer.servers, scheduler.clock.now());
  }

  /**
   * Other servers from now on. What is known of those that stay, and their connections, stays; those that are not listed any more end
   * what they have.
   *
   * @throws ArgumentError FCGI_ERR_INVALID_ARG: then nothing has changed.
   */
  update(servers: readonly ServerInput[]): void {
    this.#parts.balancer.update(sourcesOf(servers, this.#resolves));
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    dispatchTraced(this, this.#parts.scheduler, request, handler);
  }

  request(request: DispatchRequest, callback?: undefined): Promise<FcgiResponse> {
    checkNoCallback('request', callback);
    return requestBy(this, request, this.#bodyTimeout);
  }

  close(callback?: undefined): Promise<void> {
    checkNoCallback('close', callback);
    return this.#parts.scheduler.close();
  }

  destroy(reason?: Error, callback?: undefined): Promise<void> {
    checkNoCallback('destroy', callback ?? reason);
    return this.#parts.scheduler.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface UpstreamParts {
  readonly scheduler: Scheduler;
  readonly balancer: UpstreamBalancer;
  readonly pool: PoolSettings;
}

/** All of an Upstream but its face; the simulator gives it a runtime of its own. */
export function upstreamParts(
  servers: readonly ServerInput[],
  options: UpstreamOptions,
  runtime: Runtime,
): UpstreamParts {
  const [settings, pool] = resolveUpstreamOptions(options);
  const sources = sourcesOf(servers, Boolean(settings.resolve));
  const made: { balancer?: UpstreamBalancer } = {};
  const scheduler = new Scheduler(pool, runtime, (one) => {
    made.balancer = new UpstreamBalancer(one, sources, settings, pool, runtime);
    return made.balancer;
  });
  if (made.balancer === undefined) throw new TypeError('a scheduler without a balancer');
  return { scheduler, balancer: made.balancer, pool };
}
