/**
 * Every error this library makes is an `FcgiError`: switch on `code`, read `hint` for the likely cause, and
 * `executed` before you decide to send the request again yourself. Nothing here knows sockets or streams.
 */

/** What the caller gave is wrong: an option, a param, a body. Nothing was sent. */
export type ArgumentErrorCode =
  | 'FCGI_ERR_INVALID_ARG'
  | 'FCGI_ERR_PARAM_TOO_LARGE'
  | 'FCGI_ERR_BODY_LENGTH'
  | 'FCGI_ERR_BODY_LENGTH_REQUIRED';

/** No connection came about: refused, no such socket, no permission, backlog full, or not in time. */
export type ConnectErrorCode = 'FCGI_ERR_CONNECT' | 'FCGI_ERR_CONNECT_TIMEOUT';

/** The connection was there and ended before the response did. */
export type SocketErrorCode = 'FCGI_ERR_SOCKET_CLOSED' | 'FCGI_ERR_SOCKET_RESET';

/** The server was silent for too long. */
export type TimeoutErrorCode = 'FCGI_ERR_HEADERS_TIMEOUT' | 'FCGI_ERR_BODY_TIMEOUT';

/** What the server sent is not the FastCGI or CGI that was to be expected, or is a refusal in its words. */
export type ProtocolErrorCode =
  | 'FCGI_ERR_RECORD_VERSION'
  | 'FCGI_ERR_RECORD_LENGTH'
  | 'FCGI_ERR_RECORD_ID'
  | 'FCGI_ERR_RECORD_TYPE'
  | 'FCGI_ERR_RECORD_ORDER'
  | 'FCGI_ERR_RECORD_TRAILING'
  | 'FCGI_ERR_PARAMS'
  | 'FCGI_ERR_HEAD_MISSING'
  | 'FCGI_ERR_HEAD_INVALID'
  | 'FCGI_ERR_HEAD_TOO_LARGE'
  | 'FCGI_ERR_CANT_MPX_CONN'
  | 'FCGI_ERR_OVERLOADED'
  | 'FCGI_ERR_UNKNOWN_ROLE';

/** The pool itself says no, before any socket was asked. */
export type PoolErrorCode =
  | 'FCGI_ERR_QUEUE_FULL'
  | 'FCGI_ERR_QUEUE_TIMEOUT'
  | 'FCGI_ERR_NO_LIVE_UPSTREAM'
  | 'FCGI_ERR_CLOSED'
  | 'FCGI_ERR_DESTROYED';

export type FcgiErrorCode =
  | ArgumentErrorCode
  | ConnectErrorCode
  | SocketErrorCode
  | TimeoutErrorCode
  | ProtocolErrorCode
  | PoolErrorCode;

/** Did PHP run the request? `'no'` is proof, `'yes'` is a response byte seen, `'unknown'` is all the rest. */
export type Executed = 'no' | 'unknown' | 'yes';

/** How far the request had come when it failed. */
export type Phase = 'queued' | 'connecting' | 'sending' | 'waiting' | 'head' | 'body';

/** What was seen of a request that failed. Lengths are bytes of FastCGI records on the wire. */
export interface FailureFacts {
  readonly phase: Phase;
  /** The connection had served a request before this one. */
  readonly reused: boolean;
  /** Requests sent on that connection, this one included; 0 where none was open. */
  readonly requestsOnConnection: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** How often the request was sent, or tried to be. */
  readonly attempts: number;
  readonly executed: Executed;
  /** The tail of what PHP wrote to STDERR for this request. */
  readonly stderr: string;
  /** The likely cause in words, or ''. */
  readonly hint: string;
}

const nothingSent: FailureFacts = {
  phase: 'queued',
  reused: false,
  requestsOnConnection: 0,
  bytesSent: 0,
  bytesReceived: 0,
  attempts: 0,
  executed: 'no',
  stderr: '',
  hint: '',
};

export interface FcgiErrorOptions {
  readonly cause?: unknown;
  readonly facts?: Partial<FailureFacts>;
}

/** The base of all. `cause` keeps the error of Node or of the layer below. */
export class FcgiError extends Error implements FailureFacts {
  readonly code: FcgiErrorCode;
  phase: Phase = nothingSent.phase;
  reused: boolean = nothingSent.reused;
  requestsOnConnection: number = nothingSent.requestsOnConnection;
  bytesSent: number = nothingSent.bytesSent;
  bytesReceived: number = nothingSent.bytesReceived;
  attempts: number = nothingSent.attempts;
  executed: Executed = nothingSent.executed;
  stderr: string = nothingSent.stderr;
  hint: string = nothingSent.hint;

  constructor(code: FcgiErrorCode, message: string, options: FcgiErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    if (options.facts) this.learn(options.facts);
  }

  /** Adds what a layer above has come to know; returns the error itself. */
  learn(facts: Partial<FailureFacts>): this {
    return Object.assign(this, facts);
  }
}

/** An option, a param or a body that cannot be sent; `option` names it. */
export class ArgumentError extends FcgiError {
  declare readonly code: ArgumentErrorCode;
  readonly option: string;

  constructor(code: ArgumentErrorCode, option: string, message: string) {
    super(code, message);
    this.option = option;
  }
}

export class ConnectError extends FcgiError {
  declare readonly code: ConnectErrorCode;
}

export class SocketError extends FcgiError {
  declare readonly code: SocketErrorCode;
}

export class TimeoutError extends FcgiError {
  declare readonly code: TimeoutErrorCode;
}

export class ProtocolError extends FcgiError {
  declare readonly code: ProtocolErrorCode;
}

export class PoolError extends FcgiError {
  declare readonly code: PoolErrorCode;
}
