/** What applications import; re-exports only. */
export { buildParams, type HttpFacts, type ScriptOptions } from './cgi/env.ts';
export type { Address } from './connection/address.ts';
export type { CloseReason } from './connection/reuse.ts';
export * from './errors.ts';
export type { Params } from './protocol/params.ts';
export type {
  Body,
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  FcgiResponse,
  ResponseBody,
  ResponseHeaders,
  RetryPolicy,
} from './upstream/dispatcher.ts';
export type { PoolOptions } from './upstream/options.ts';
export { Pool } from './upstream/pool.ts';
export type { ServerOptions } from './upstream/server.ts';
export type { Stats } from './upstream/stats.ts';
export { Upstream, type UpstreamOptions, type UpstreamServer } from './upstream/upstream.ts';
