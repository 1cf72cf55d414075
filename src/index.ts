/** What applications import; re-exports only. */
export { buildParams } from './cgi/build-params.ts';
export type { Endpoint, HttpFacts, ScriptOptions } from './cgi/env.ts';
export type { PhpLevel, PhpMessage } from './cgi/php-message.ts';
export {
  CHANNELS,
  type ConnectionClosed,
  type ConnectMessage,
  type RequestHeaders,
  type RequestMessage,
  type RequestQueued,
  type RequestRefused,
  type RequestRetry,
  type RequestStderr,
  type ServerAddress,
  type ServerState,
} from './connection/channels.ts';
export type { CloseReason } from './connection/reuse.ts';
export type { Address } from './connection/socket/address.ts';
export {
  ArgumentError,
  type ArgumentErrorCode,
  ConnectError,
  type ConnectErrorCode,
  type Executed,
  type FailureFacts,
  FcgiError,
  type FcgiErrorCode,
  type FcgiErrorOptions,
  type Phase,
  PoolError,
  type PoolErrorCode,
  ProtocolError,
  type ProtocolErrorCode,
  RequestError,
  type RequestErrorCode,
  type RequestTimes,
  SocketError,
  type SocketErrorCode,
  TimeoutError,
  type TimeoutErrorCode,
} from './errors.ts';
export type {
  Body,
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  DumpOptions,
  Ended,
  FcgiResponse,
  ResponseBody,
  ResponseHeaders,
  RetryPolicy,
} from './pool/dispatcher.ts';
export type { PoolOptions } from './pool/options.ts';
export { Pool } from './pool/pool.ts';
export type { ConnectionInfo } from './pool/stats/connections.ts';
export type { Summary } from './pool/stats/histogram.ts';
export type { ConnectionStats, Stats } from './pool/stats/stats.ts';
export type { Params } from './protocol/params.ts';
export type { Balance } from './upstream/balance/balance.ts';
export type { Subset } from './upstream/balance/subset.ts';
export type { HealthState } from './upstream/health/health.ts';
export type { ShownState } from './upstream/member.ts';
export type {
  HealthCheck,
  Resolve,
  ServerOptions,
  UpstreamOptions,
  UpstreamServer,
  UpstreamService,
} from './upstream/options.ts';
export type { ServerStats, UpstreamStats } from './upstream/stats.ts';
export { Upstream } from './upstream/upstream.ts';
