/** Kept connections to one FastCGI server. */
import { type Address, parseAddress } from '../connection/socket/address.ts';
import { PoolCore } from './core.ts';
import type { Dispatcher, DispatchHandler, DispatchRequest, FcgiResponse } from './dispatcher.ts';
import { type PoolOptions, resolveOptions } from './options.ts';
import { requestBy } from './request/response.ts';
import type { Stats } from './stats.ts';

/**
 * A pool of connections to one server. Dials nothing before the first request; what it may open, keep and wait for
 * is in PoolOptions.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: an address or an option that cannot be; `option` names it.
 */
export class Pool implements Dispatcher {
  readonly #core: PoolCore;
  readonly #bodyTimeout: number;

  constructor(address: Address, options: PoolOptions = {}) {
    const settings = resolveOptions(options);
    this.#core = new PoolCore(parseAddress(address), settings);
    this.#bodyTimeout = settings.bodyTimeout;
  }

  get stats(): Stats {
    return this.#core.stats;
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    this.#core.dispatch(request, handler);
  }

  request(request: DispatchRequest): Promise<FcgiResponse> {
    return requestBy(this, request, this.#bodyTimeout);
  }

  close(): Promise<void> {
    return this.#core.close();
  }

  destroy(reason?: Error): Promise<void> {
    return this.#core.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
