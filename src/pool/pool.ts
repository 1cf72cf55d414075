/**
 * Kept connections to one FastCGI server. A request's way: Scheduler (scheduler.ts: let in, or waits), Server (server.ts:
 * a slot, a kept connection or a fresh one), Sender (request/sender.ts: bytes), Connection (../connection), and back over
 * its Job (job.ts) to the handler. Where a connection is lost, Scheduler.onFailure bends the way back, once.
 * This folder: one server with its queue and its connections. It imports connection, protocol, cgi and the errors.
 * A request meets pool, scheduler, server, request/sender, job.
 */
import { checkNoCallback } from '../arguments.ts';
import { type Runtime, systemRuntime } from '../connection/runtime.ts';
import { type Address, parseAddress } from '../connection/socket/address.ts';
import type { Balancer } from './balancer.ts';
import { dispatchTraced } from './channels.ts';
import type { Dispatcher, DispatchHandler, DispatchRequest, FcgiResponse } from './dispatcher.ts';
import { type PoolOptions, type PoolSettings, resolveOptions } from './options.ts';
import { requestBy } from './request/response.ts';
import { noSuchServer } from './request/validate.ts';
import { Scheduler } from './scheduler.ts';
import { Server } from './server.ts';
import { type ConnectionInfo, connectionsOf } from './stats/connections.ts';
import type { Stats } from './stats/stats.ts';

/**
 * A pool of connections to one server. Dials nothing before the first request; what it may open, keep and wait for
 * is in PoolOptions.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: an address or an option that cannot be; `option` names it.
 */
export class Pool implements Dispatcher {
  readonly #scheduler: Scheduler;
  readonly #bodyTimeout: number;

  constructor(address: Address, options: PoolOptions = {}) {
    const settings = resolveOptions(options);
    this.#scheduler = schedulerOf(address, settings, systemRuntime);
    this.#bodyTimeout = settings.bodyTimeout;
  }

  /** `unix:/run/php-fpm.sock` or `10.0.0.1:9000`. */
  get address(): string {
    return this.#scheduler.server;
  }

  get stats(): Stats {
    return this.#scheduler.stats;
  }

  /** Each connection as it is now. */
  get connections(): readonly ConnectionInfo[] {
    const { balancer, clock } = this.#scheduler;
    return connectionsOf(balancer.servers, clock.now());
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    dispatchTraced(this, this.#scheduler, request, handler);
  }

  request(request: DispatchRequest, callback?: undefined): Promise<FcgiResponse> {
    checkNoCallback('request', callback);
    return requestBy(this, request, this.#bodyTimeout);
  }

  close(callback?: undefined): Promise<void> {
    checkNoCallback('close', callback);
    return this.#scheduler.close();
  }

  destroy(reason?: Error, callback?: undefined): Promise<void> {
    checkNoCallback('destroy', callback ?? reason);
    return this.#scheduler.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** All of a pool but its face; the simulator gives it a runtime of its own. */
export function schedulerOf(address: Address, settings: PoolSettings, runtime: Runtime): Scheduler {
  const target = parseAddress(address);
  return new Scheduler(settings, runtime, (scheduler) =>
    only(new Server(scheduler, target, settings, runtime, true)),
  );
}

/** There is one server, and it gets every job. */
function only(server: Server): Balancer {
  return {
    name: server.target.name,
    servers: [server],
    counts: [server],
    get hasRoom() {
      return server.hasRoom;
    },
    onStart: () => {},
    // Not in choose(): that is first asked for one that waits when a slot comes free, where nobody catches.
    hashKey: (request) => {
      if (request.server !== undefined && request.server !== server.name) throw noSuchServer(request.server);
      return '';
    },
    choose: () => (server.hasRoom ? server : null),
    accepts: () => true,
    onServed: () => {},
    onFailed: () => false,
    failOver: () => false,
    onTick: () => false,
    isChecking: false,
  };
}
