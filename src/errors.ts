/**
 * Every error this library makes is an `FcgiError`: switch on `code`, read `hint` for the likely cause, and
 * `executed` before you decide to send the request again yourself. Nothing here knows sockets or streams.
 */

/** What the caller gave is wrong: an option, a param, a body. Nothing was sent, unless it is a body of which some was. */
export type ArgumentErrorCode =
  /**
   * An option, a param or an address that cannot be, or what a client asks a gateway for (a URL, a method, headers, a link
   * out of `root`); `option` names it.
   */
  | 'FCGI_ERR_INVALID_ARG'
  /** A param that fits into no PARAMS record: name, value and their lengths take more than 65,528 bytes. */
  | 'FCGI_ERR_PARAM_TOO_LARGE'
  /** The body is not as long as its CONTENT_LENGTH, or its client sends no more of it (408). */
  | 'FCGI_ERR_BODY_LENGTH'
  /** A stream longer than `replayBuffer` came without CONTENT_LENGTH. */
  | 'FCGI_ERR_BODY_LENGTH_REQUIRED';

/** The request as it came to the gateway, or as the gateway was told to make it, cannot be answered by PHP. */
export type RequestErrorCode =
  /** Its body was read, decoded or left out before it came to the PHP handler; nothing was sent. `hint` says what to do. */
  | 'FCGI_ERR_BODY_READ'
  /**
   * PHP-FPM found no script at SCRIPT_FILENAME, and has answered 404, or may not read or not run it (403); `hint` says what to check.
   * For `onError` only.
   */
  | 'FCGI_ERR_SCRIPT_NOT_FOUND';

/** No connection came about. */
export type ConnectErrorCode =
  /** Refused for good: no permission, not a socket, an unknown host; `cause` is Node's error. */
  | 'FCGI_ERR_CONNECT'
  /** Not connected within `connectTimeout`; where the server refused all the time, `cause` says how. */
  | 'FCGI_ERR_CONNECT_TIMEOUT';

/** The connection was there and ended before the response did. */
export type SocketErrorCode =
  /** The server closed it. */
  | 'FCGI_ERR_SOCKET_CLOSED'
  /** The server reset it. */
  | 'FCGI_ERR_SOCKET_RESET';

/** It took too long. */
export type TimeoutErrorCode =
  /** Not over within `timeout`, all told. */
  | 'FCGI_ERR_TIMEOUT'
  /** No head of a response within `headersTimeout`, or the server took nothing of the request for that long. */
  | 'FCGI_ERR_HEADERS_TIMEOUT'
  /** No more of the body for `bodyTimeout`; or nobody has read it for that long, and `hint` says so. */
  | 'FCGI_ERR_BODY_TIMEOUT';

/** What the server sent is not the FastCGI or CGI that was to be expected, or is a refusal in its words. */
export type ProtocolErrorCode =
  /** A record of another version: the server does not speak FastCGI. */
  | 'FCGI_ERR_RECORD_VERSION'
  /** A body of a wrong length in a record that has a fixed one. */
  | 'FCGI_ERR_RECORD_LENGTH'
  /** A record for a request that was not sent on this connection. From then on each has a connection of its own. */
  | 'FCGI_ERR_RECORD_ID'
  /** A record that is not part of a response. */
  | 'FCGI_ERR_RECORD_TYPE'
  /** A record where it must not be. */
  | 'FCGI_ERR_RECORD_ORDER'
  /** Bytes behind the end of a response. Only the connection suffers from it, and nobody is told. */
  | 'FCGI_ERR_RECORD_TRAILING'
  /** A name-value pair that is longer than its record; of `fastcgi-pool/protocol` only. */
  | 'FCGI_ERR_PARAMS'
  /** The response ended before its head did. */
  | 'FCGI_ERR_HEAD_MISSING'
  /** A line of the head that is none, or one that HTTP does not allow. */
  | 'FCGI_ERR_HEAD_INVALID'
  /** The response's body is not as long as its Content-Length. `dispatch()` does not look. */
  | 'FCGI_ERR_CONTENT_LENGTH'
  /** A head larger than `maxHeaderSize`. */
  | 'FCGI_ERR_HEAD_TOO_LARGE'
  /** The server refused: it takes one request at a time on a connection. */
  | 'FCGI_ERR_CANT_MPX_CONN'
  /** The server refused: it is overloaded. */
  | 'FCGI_ERR_OVERLOADED'
  /** The server refused: it is no responder. */
  | 'FCGI_ERR_UNKNOWN_ROLE';

/** The pool itself says no, before any socket was asked. */
export type PoolErrorCode =
  /** `queueSize` requests wait already. */
  | 'FCGI_ERR_QUEUE_FULL'
  /** The queue is longer than can be answered in time; `retryAfter` says when to come back. */
  | 'FCGI_ERR_QUEUE_OVERLOAD'
  /** No connection came free within `queueTimeout`. */
  | 'FCGI_ERR_QUEUE_TIMEOUT'
  /** None of the servers of an Upstream took the request; `cause` is what the last one said. Or all are `down`. */
  | 'FCGI_ERR_NO_LIVE_UPSTREAM'
  /** The pool is closed. */
  | 'FCGI_ERR_CLOSED'
  /** The pool was destroyed while the request was under way. */
  | 'FCGI_ERR_DESTROYED';

export type FcgiErrorCode =
  | RequestErrorCode
  | ArgumentErrorCode
  | ConnectErrorCode
  | SocketErrorCode
  | TimeoutErrorCode
  | ProtocolErrorCode
  | PoolErrorCode
  /** Given up with a reason that is no FcgiError. Only `DispatchController.facts` and `onAbort` show it: the caller gets the reason. */
  | 'FCGI_ERR_ABORTED';

/** Did PHP run the request? `'no'` is proof, `'yes'` is a response byte seen, `'unknown'` is all the rest. */
export type Executed = 'no' | 'unknown' | 'yes';

/** How far the request had come when it failed. */
export type Phase = 'queued' | 'connecting' | 'sending' | 'waiting' | 'head' | 'body';

/** Where the time of a request went; ms, each over all attempts. */
export interface RequestTimes {
  /** Waiting for a connection to come free. */
  readonly queued: number;
  /** Opening connections, the pauses between tries included; 0 on a kept one. */
  readonly connecting: number;
  /** From dispatch() to the first byte of the response; null: none came. */
  readonly firstByte: number | null;
  /** From dispatch() to the end. */
  readonly total: number;
}

/** What was seen of a request that failed. Lengths are bytes of FastCGI records on the wire. */
export interface FailureFacts {
  /** How far it had come: `'queued'`, `'connecting'`, `'sending'`, `'waiting'` (sent whole, no answer yet), `'head'` or `'body'`. */
  readonly phase: Phase;
  /** The address of the server that had the request last, as in messages; '' where none had. */
  readonly server: string;
  /** Where its time went, ms. */
  readonly times: RequestTimes;
  /** The connection had served a request before this one. */
  readonly reused: boolean;
  /** Requests sent on that connection, this one included; 0 where none was open. */
  readonly requestsOnConnection: number;
  /** Bytes of its FastCGI records that our kernel has taken; of the last try. */
  readonly bytesSent: number;
  /** Bytes of FastCGI records that came as its answer. */
  readonly bytesReceived: number;
  /** How often the request was sent, or tried to be. */
  readonly attempts: number;
  /** Has PHP run it? `'no'` is a proof, `'yes'`: a byte of the response was seen, `'unknown'` is all the rest. */
  readonly executed: Executed;
  /** All of its body could have been sent once more: it is bytes, or a stream within `replayBuffer`. */
  readonly replayable: boolean;
  /** The tail of what PHP wrote to STDERR for this request. */
  readonly stderr: string;
  /** Seconds after which to ask again, where the pool refused; else 0. */
  readonly retryAfter: number;
  /** The likely cause in words, or ''. */
  readonly hint: string;
}

const nothingSent: FailureFacts = {
  phase: 'queued',
  server: '',
  times: { queued: 0, connecting: 0, firstByte: null, total: 0 },
  reused: false,
  requestsOnConnection: 0,
  bytesSent: 0,
  bytesReceived: 0,
  attempts: 0,
  executed: 'no',
  replayable: true,
  stderr: '',
  retryAfter: 0,
  hint: '',
};

export interface FcgiErrorOptions {
  readonly cause?: unknown;
  readonly facts?: Partial<FailureFacts>;
}

/** Of the kinds of the classes below. */
const PREFIX = 'fastcgi-pool:';

/** The base of all. `cause` keeps the error of Node or of the layer below. */
export class FcgiError extends Error implements FailureFacts {
  /** Of the class: the same in every copy of this package, for `instanceof`. */
  static readonly kind: string = `${PREFIX}FcgiError`;
  // Spelled out: a bundler may shorten the names of classes.
  override readonly name: string = 'FcgiError';
  readonly code: FcgiErrorCode;
  phase: Phase = nothingSent.phase;
  server: string = nothingSent.server;
  times: RequestTimes = nothingSent.times;
  reused: boolean = nothingSent.reused;
  requestsOnConnection: number = nothingSent.requestsOnConnection;
  bytesSent: number = nothingSent.bytesSent;
  bytesReceived: number = nothingSent.bytesReceived;
  attempts: number = nothingSent.attempts;
  executed: Executed = nothingSent.executed;
  replayable: boolean = nothingSent.replayable;
  stderr: string = nothingSent.stderr;
  retryAfter: number = nothingSent.retryAfter;
  hint: string = nothingSent.hint;

  constructor(code: FcgiErrorCode, message: string, options: FcgiErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.facts) this.learn(options.facts);
  }

  /**
   * By its kind: where the package is there twice, or was loaded anew, as Jest does, an error of the one copy is what it is to the other
   * one. undici's are told so as well. A class that is made of one of these is told by its prototype.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that was asked for, which is one of those below
    return isOfKind(value, this);
  }

  /** Adds what a layer above has come to know; returns the error itself. A caller's own that he has frozen stays as it is. */
  learn(facts: Partial<FailureFacts>): this {
    return Object.isFrozen(this) ? this : Object.assign(this, facts);
  }
}

/** An option, a param or a body that cannot be sent; `option` names it. */
export class ArgumentError extends FcgiError {
  static override readonly kind: string = `${PREFIX}ArgumentError`;
  override readonly name: string = 'ArgumentError';
  declare readonly code: ArgumentErrorCode;
  readonly option: string;

  constructor(code: ArgumentErrorCode, option: string, message: string) {
    super(code, message);
    this.option = option;
    // Nothing was sent: printed, all that there is to see of a request would hide the one line that helps.
    for (const name of Object.keys(nothingSent)) Object.defineProperty(this, name, { enumerable: false });
  }
}

export class ConnectError extends FcgiError {
  static override readonly kind: string = `${PREFIX}ConnectError`;
  override readonly name: string = 'ConnectError';
  declare readonly code: ConnectErrorCode;
}

export class SocketError extends FcgiError {
  static override readonly kind: string = `${PREFIX}SocketError`;
  override readonly name: string = 'SocketError';
  declare readonly code: SocketErrorCode;
}

export class TimeoutError extends FcgiError {
  static override readonly kind: string = `${PREFIX}TimeoutError`;
  override readonly name: string = 'TimeoutError';
  declare readonly code: TimeoutErrorCode;
}

export class ProtocolError extends FcgiError {
  static override readonly kind: string = `${PREFIX}ProtocolError`;
  override readonly name: string = 'ProtocolError';
  declare readonly code: ProtocolErrorCode;
}

export class PoolError extends FcgiError {
  static override readonly kind: string = `${PREFIX}PoolError`;
  override readonly name: string = 'PoolError';
  declare readonly code: PoolErrorCode;
}

export class RequestError extends FcgiError {
  static override readonly kind: string = `${PREFIX}RequestError`;
  override readonly name: string = 'RequestError';
  declare readonly code: RequestErrorCode;
}

function isOfKind(value: unknown, asked: typeof FcgiError): boolean {
  if (!Object.hasOwn(asked, 'kind')) return Function.prototype[Symbol.hasInstance].call(asked, value);
  if (typeof value !== 'object' || value === null) return false;
  const made: unknown = value.constructor;
  const kind = typeof made === 'function' && 'kind' in made ? String(made.kind) : '';
  return kind === asked.kind || (asked.kind === FcgiError.kind && kind.startsWith(PREFIX));
}

/**
 * By what it has, not by its class: where this file is loaded in a context of its own, as Jest does, Node's errors are of
 * another `Error` than ours.
 */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && 'message' in value && typeof value.message === 'string';
}

/** `code` of an error of Node's, such as 'ECONNREFUSED'; '' where it has none. */
export function errorCode(error: unknown): string {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** For messages. */
export function errorText(error: unknown): string {
  return isError(error) ? error.message : String(error);
}
