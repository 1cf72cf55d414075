/** What applications import; re-exports only. */
export { buildParams, type HttpFacts, type ScriptOptions } from './cgi/env.ts';
export type { CloseReason } from './connection/reuse.ts';
export type { Address } from './connection/socket/address.ts';
export * from './errors.ts';
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
} from './pool/dispatcher.ts';
export type { PoolOptions } from './pool/options.ts';
export { Pool } from './pool/pool.ts';
export type { Stats } from './pool/stats.ts';
export type { Params } from './protocol/params.ts';
export type { ServerOptions } from './upstream/member.ts';
export { Upstream, type UpstreamOptions, type UpstreamServer } from './upstream/upstream.ts';
