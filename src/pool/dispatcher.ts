/**
 * The one contract for callers, as in undici. `Pool` and `Upstream` are Dispatchers; adapters, the command line
 * and your own code take any. Types only: what a Dispatcher does is in pool.ts and upstream.ts.
 */
import type { Readable } from 'node:stream';
import type { ResponseHeaders } from '../cgi/head.ts';
import type { FailureFacts, RequestTimes } from '../errors.ts';
import type { Stats } from './stats/stats.ts';

export type { ResponseHeaders };

/**
 * What PHP sees in `$_SERVER`. A string goes out as UTF-8; give a `Uint8Array` where the bytes must stay as they
 * are (an HTTP header's value, say). Names and values must not contain NUL.
 */
export type Params = Readonly<Record<string, string | Uint8Array>>;

/**
 * A Node Readable is an AsyncIterable too, and so is a web stream. A string goes out as UTF-8. Other kinds that undici takes
 * are refused: give `blob.stream()`, `new Uint8Array(arrayBuffer)`, `String(urlSearchParams)`.
 */
export type Body = string | Uint8Array | AsyncIterable<Uint8Array | string> | null;

/** Which failed requests are sent again; see PoolOptions.retry. */
export type RetryPolicy = 'never' | 'unexecuted' | 'idempotent' | 'always';

export interface DispatchRequest {
  /** At the least SCRIPT_FILENAME and REQUEST_METHOD, for PHP-FPM; `buildParams` makes a whole set. */
  readonly params: Params;
  /**
   * Default null. CONTENT_LENGTH is added where the params lack it and the length is known or turns out within
   * `replayBuffer`; a body that differs from its CONTENT_LENGTH is `FCGI_ERR_BODY_LENGTH`. Bytes are not copied: leave them as they
   * are until the request is over. A stream is read to its first piece, and a short one of a POST to its end, before anything is sent.
   */
  readonly body?: Body | undefined;
  /**
   * Fails the request at any stage with the signal's reason; for its connection see `closeOnAbort`. An EventEmitter, which
   * undici takes, is none.
   */
  readonly signal?: AbortSignal | undefined;
  /** Default: what RFC 9110, 9.2.2 says of REQUEST_METHOD. */
  readonly idempotent?: boolean | undefined;
  /**
   * Close the connection at once where the request is aborted while its script runs and has answered nothing yet? PHP runs
   * the script in any case, and a new connection would only wait behind it. So by default (false) the connection is
   * kept for as long as that script usually takes, and used again if it ends in time.
   */
  readonly closeOnAbort?: boolean | undefined;
  /**
   * Only this server may have it: an address as `stats.servers` has it, whatever state that server is in. Where there is none
   * such, FCGI_ERR_INVALID_ARG. Default: any.
   */
  readonly server?: string | undefined;
  /** Overrides the pool's. */
  readonly retry?: RetryPolicy | undefined;
  /** Milliseconds from dispatch() to the end, then FCGI_ERR_TIMEOUT; overrides the pool's. 0: no limit. */
  readonly timeout?: number | undefined;
  /** Milliseconds; overrides the pool's. */
  readonly headersTimeout?: number | undefined;
  /** Milliseconds; overrides the pool's. */
  readonly bodyTimeout?: number | undefined;
  /** Each piece of STDERR as it comes. What it throws fails the request. */
  readonly onStderr?: ((chunk: Uint8Array) => void) | undefined;
  /**
   * Where the request ends with an error that is not ours (the signal's reason, what abort() or a callback gave): what
   * was seen of it up to then, just before that error is told. What it throws is dropped.
   */
  readonly onAbort?: ((facts: FailureFacts) => void) | undefined;
}

/** How a response ended, once it has ended well. */
export interface Ended {
  /** From END_REQUEST; PHP-FPM always says 0. */
  readonly appStatus: number;
  /** The connection had served a request before this one. */
  readonly reused: boolean;
  /** How often the request was sent, or tried to be: 1 where nothing went wrong. */
  readonly attempts: number;
  /** The address of the server that answered, as in messages. */
  readonly server: string;
  /** Where its time went, ms. */
  readonly times: RequestTimes;
  /** Always `'yes'`: there was an answer. */
  readonly executed: 'yes';
  /** The tail of what PHP wrote to STDERR (at most 8 KiB), as UTF-8. */
  readonly stderr: string;
  /** Why there was no script to run, where php-fpm says that there was none; else ''. */
  readonly hint: string;
}

/** Steers one request; undici's. */
export interface DispatchController {
  /** Stops reading from PHP-FPM (at most what is in flight still comes). No timeout but `timeout` runs meanwhile, until the pool is closed. */
  pause(): void;
  resume(): void;
  /** Fails the request with `reason`, as a `signal` does. No effect once it has ended. */
  abort(reason?: unknown): void;
  readonly paused: boolean;
  /** The reason, which undici has as `reason`, comes to onResponseError. */
  readonly aborted: boolean;
  /**
   * What was seen of a request that failed, from onResponseError on, also where the error is not ours; before, and
   * where it ended well, null.
   */
  readonly facts: FailureFacts | null;
  /**
   * Of the response, from onResponseStart to the last callback: name, value, name, value; order and case as PHP sent
   * them. Empty before and after; the array itself stays as it is for whoever keeps it.
   */
  readonly rawHeaders: readonly string[];
}

/**
 * What `dispatch` calls, in this order: onRequestStart?, onResponseStart, onResponseData*, then exactly one of
 * onResponseEnd and onResponseError. Before any onResponseStart a request may have been sent more than once
 * (see `attempts`), which the handler does not notice. What a callback throws fails the request with it.
 */
export interface DispatchHandler {
  /** Called before the request waits for a connection. */
  onRequestStart?(controller: DispatchController): void;
  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
    statusMessage: string,
  ): void;
  onResponseData(controller: DispatchController, chunk: Buffer): void;
  onResponseEnd(controller: DispatchController, ended: Ended): void;
  /** `error` is an FcgiError, the signal's reason, the reason of abort(), or what a callback threw. */
  onResponseError(controller: DispatchController, error: unknown): void;
}

/**
 * A Readable of Buffers. It errors, and never ends, where the response was cut short or is not as long as its
 * Content-Length (FCGI_ERR_CONTENT_LENGTH). What nobody reads holds a PHP worker, if it is longer than 64 KiB: after
 * `bodyTimeout` it errors with FCGI_ERR_BODY_TIMEOUT. The methods, undici's, reject as the body errors, later as well; all but
 * `dump()` with a TypeError where the body is being read, or has been.
 */
export interface ResponseBody extends Readable {
  /** As UTF-8, without a byte order mark. */
  text(): Promise<string>;
  json(): Promise<unknown>;
  /** A Buffer. */
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Its type is the response's Content-Type. */
  blob(): Promise<Blob>;
  /** Something of it has been read or asked for. */
  readonly bodyUsed: boolean;
  /**
   * Reads the body to its end and drops it, so that its connection can serve the next request; where it is longer than `limit`,
   * the connection is closed instead. Nothing happens where the body has been read. undici's resolves where the body errors, too.
   */
  dump(options?: DumpOptions): Promise<null>;
}

export interface DumpOptions {
  /** Bytes. Default: 131,072. */
  readonly limit?: number | undefined;
  /** Gives the body up, and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface FcgiResponse {
  readonly statusCode: number;
  /** The reason phrase of PHP's Status header, or ''. */
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  /** name, value, name, value; order and case as PHP sent them. Each char of a value is one byte (latin1). */
  readonly rawHeaders: readonly string[];
  readonly body: ResponseBody;
  /** Settles when the response has ended; rejects as `body` errors. */
  readonly ended: Promise<Ended>;
}

/**
 * What a Pool and an Upstream both are, and what the gateway takes. Where undici's has events, these have the channels of
 * node:diagnostics_channel (`CHANNELS`); all methods but `dispatch` return promises, and take no callback. One of your own has to call the handler in the async
 * context in which dispatch() was called (`AsyncResource.bind`, or none of its own queues and timers in between): hooks and
 * loggers find their request by it.
 */
export interface Dispatcher {
  /**
   * Returns nothing, where undici's says whether to wait for an event `drain`: requests wait in the pool's queue, or are refused.
   * Bad arguments come to onResponseError as well; it throws, FCGI_ERR_INVALID_ARG, only where there is no
   * onResponseError to be told. Later changes of `params` have no effect; the bytes of values and body are not copied.
   */
  dispatch(request: DispatchRequest, handler: DispatchHandler): void;
  /** Resolves with the head; the body streams. */
  request(request: DispatchRequest): Promise<FcgiResponse>;
  /** Accepts no more, finishes what was accepted, closes every connection. */
  close(): Promise<void>;
  /** Fails what is left with `reason`, or FCGI_ERR_DESTROYED; closes every connection now. */
  destroy(reason?: Error): Promise<void>;
  readonly stats: Stats;
  [Symbol.asyncDispose](): Promise<void>;
}
