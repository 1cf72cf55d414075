/**
 * The names of our channels in node:diagnostics_channel, and what is told on each. The README's table is made from this
 * file. A message is built only where somebody listens; what a listener throws, Node reports as an uncaught exception
 * of its own, and the request goes on.
 */
import type { PhpMessage } from '../cgi/php-message.ts';
import type { Executed, FailureFacts, Phase } from '../errors.ts';
import type { CloseReason } from './reuse.ts';
import type { Target } from './socket/address.ts';

export const CHANNELS = {
  /** TracingChannel, RequestMessage. A request from `dispatch()` to its end; sent again, it is still the same one. */
  request: 'fastcgi-pool:request',
  /** TracingChannel, ConnectMessage. Getting connected, with the further tries that `connectTimeout` allows. */
  connect: 'fastcgi-pool:connect',
  /** RequestQueued. No connection is free: the request waits. */
  queued: 'fastcgi-pool:request:queued',
  /** RequestHeaders. The head of the response is here. */
  headers: 'fastcgi-pool:request:headers',
  /** RequestRetry. A server has failed the request, which is sent once more, or given to another server. */
  retry: 'fastcgi-pool:request:retry',
  /** RequestStderr. PHP has written to STDERR. */
  stderr: 'fastcgi-pool:request:stderr',
  /** RequestRefused. Turned away, as the queue is too long or too slow. */
  refused: 'fastcgi-pool:request:refused',
  /** ConnectionClosed. A socket was closed, by us or by the server. */
  connectionClosed: 'fastcgi-pool:connection:closed',
  /** ServerState. A server of an Upstream is in another state. */
  serverState: 'fastcgi-pool:server:state',
} as const;

/** Where the server listens. */
export interface ServerAddress {
  /** The host, or the path of the unix socket. */
  readonly serverAddress: string;
  /** null: a unix socket. */
  readonly serverPort: number | null;
}

/** One object for each request: it is `request` in all other messages about it, so that a WeakMap finds it again. */
export interface RequestMessage {
  /** The Pool or Upstream that was asked. */
  readonly dispatcher: object;
  /** What PHP will see. In `start` names may be added and changed, and PHP sees that; the caller's own object stays as it is. */
  readonly params: Record<string, string | Uint8Array>;
  /** The server that has or had the request last; null: none so far. */
  serverAddress: string | null;
  /** null: a unix socket, or none so far. */
  serverPort: number | null;
  /** How often it was sent, or tried to be; final in `asyncEnd`. */
  attempts: number;
  /** Its latest connection had served a request before this one. */
  reused: boolean;
  /** Of the response; null: there is no head yet. */
  statusCode: number | null;
  /** How it ended well: what `FcgiResponse.ended` resolves with. */
  result?: unknown;
  /** Why it failed. */
  error?: unknown;
  /** What was seen of a request that failed, also where `error` is the caller's own. */
  facts?: FailureFacts;
}

export interface ConnectMessage extends ServerAddress {
  /** For which the connection is opened; null: `request` had no listener when it began. */
  readonly request: RequestMessage | null;
  /** Why there is none. */
  error?: unknown;
}

export interface RequestQueued {
  /** That of the `request` channel. */
  readonly request: RequestMessage;
  /** How many wait, this one included. */
  readonly queued: number;
}

export interface RequestHeaders {
  /** That of the `request` channel. */
  readonly request: RequestMessage;
  /** 100 to 999. */
  readonly statusCode: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** name, value, name, value; order and case as PHP sent them. */
  readonly rawHeaders: readonly string[];
}

export interface RequestRetry {
  /** That of the `request` channel. */
  readonly request: RequestMessage;
  /** The server that failed it; null: none had it. */
  readonly serverAddress: string | null;
  /** null: a unix socket. */
  readonly serverPort: number | null;
  /** How often it was sent so far, or tried to be. */
  readonly attempts: number;
  /** Did PHP run it? `'unknown'` only where `retry` allows that. */
  readonly executed: Executed;
  /** How far it had come. */
  readonly phase: Phase;
  /** The likely cause in words, or ''. */
  readonly hint: string;
  /** An FcgiError. */
  readonly error: unknown;
}

export interface RequestStderr {
  /** That of the `request` channel. */
  readonly request: RequestMessage;
  /** As PHP wrote it; empty at the end of the request, where `messages` has what was not whole before. */
  readonly chunk: Uint8Array;
  /** What is whole by now, taken apart. */
  readonly messages: readonly PhpMessage[];
}

export interface RequestRefused {
  /** That of the `request` channel. */
  readonly request: RequestMessage;
  /** `FCGI_ERR_QUEUE_FULL` or `FCGI_ERR_QUEUE_OVERLOAD`. */
  readonly code: string;
  /** Seconds after which to ask again. */
  readonly retryAfter: number;
}

export interface ConnectionClosed extends ServerAddress {
  /** As in `stats.closed`. */
  readonly reason: CloseReason;
  /** Requests sent on it. */
  readonly requests: number;
  /** ms. */
  readonly age: number;
}

export interface ServerState extends ServerAddress {
  /** As in `stats.servers`: `up`, `suspect`, `failed`, `trial`, `busy`, `down` or `leaving`. */
  readonly state: string;
  /** The one before. */
  readonly previous: string;
  /** What it failed with; '' while it is up. */
  readonly why: string;
}

export function serverAddress(target: Target): ServerAddress {
  return target.transport === 'unix'
    ? { serverAddress: target.path, serverPort: null }
    : { serverAddress: target.host, serverPort: target.port };
}
