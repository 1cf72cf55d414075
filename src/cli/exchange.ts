/** One request on a connection of its own, closed afterwards: what `request`, `ping` and `status` do. */
import { FcgiError } from '../errors.ts';
import type { DispatchRequest, FcgiResponse } from '../pool/dispatcher.ts';
import type { Peer } from './args/peer.ts';
import type { Connect, ConnectOptions } from './connect.ts';

/** Durations in ms. Who types a command waits as long as they like, but not for a php-fpm that is not there. */
const oneRequest: ConnectOptions = {
  connections: 1,
  keepalive: 0,
  connectTimeout: 1000,
  headersTimeout: 0,
  bodyTimeout: 0,
};

/**
 * Calls `use` with the response, then closes the connection. A worker is never kept waiting for a second request.
 * `timeout` in milliseconds, for all of it; 0: no limit.
 */
export async function exchange<T>(
  connect: Connect,
  address: string,
  timeout: number,
  peer: Peer,
  request: DispatchRequest,
  use: (response: FcgiResponse) => Promise<T>,
): Promise<T> {
  const dispatcher = connect([address], { ...oneRequest, ...peer });
  try {
    const response = await dispatcher.request({ ...request, timeout });
    // `use` reads the body, which fails as `ended` would.
    response.ended.catch(() => {});
    return await use(response);
  } catch (error) {
    if (!(error instanceof FcgiError) || error.code !== 'FCGI_ERR_TIMEOUT') throw error;
    // why there is no connection, where that is what it has waited for
    const why = error.phase === 'connecting' && error.hint !== '' ? ` (${error.hint})` : '';
    throw new Error(`${address} did not answer within ${timeout / 1000} s${why}`, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
}
