/** The dispatcher behind a command: a Pool, or an Upstream where there are several servers. */
import type { Dispatcher } from '../pool/dispatcher.ts';
import type { PoolOptions } from '../pool/options.ts';
import { Pool } from '../pool/pool.ts';
import { Upstream } from '../upstream/upstream.ts';

export type ConnectOptions = Pick<
  PoolOptions,
  | 'connections'
  | 'keepalive'
  | 'connectTimeout'
  | 'headersTimeout'
  | 'bodyTimeout'
  | 'queueTimeout'
  | 'proxied'
  | 'backend'
>;

export type Connect = (addresses: readonly string[], options: ConnectOptions) => Dispatcher;

export const connect: Connect = (addresses, options) => {
  const [first, ...others] = addresses;
  return first !== undefined && others.length === 0
    ? new Pool(first, options)
    : new Upstream(addresses, options);
};
