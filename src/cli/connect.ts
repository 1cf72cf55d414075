/** The dispatcher behind a command: a Pool, or an Upstream where there are several servers. */
import type { Dispatcher } from '../pool/dispatcher.ts';
import type { PoolOptions } from '../pool/options.ts';
import { Pool } from '../pool/pool.ts';
import type { UpstreamServer } from '../upstream/options.ts';
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
  | 'postDataReading'
>;

export type Connect = (
  servers: readonly (string | (UpstreamServer & { readonly address: string }))[],
  options: ConnectOptions,
) => Dispatcher;

export const connect: Connect = (servers, options) => {
  const [first, ...others] = servers;
  if (first === undefined || others.length > 0) return new Upstream(servers, options);
  if (typeof first === 'string') return new Pool(first, options);
  const { address, ...parameters } = first;
  return Object.keys(parameters).length === 0 ? new Pool(address, options) : new Upstream([first], options);
};
