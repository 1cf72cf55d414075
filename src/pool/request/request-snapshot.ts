/**
 * A request as it was when dispatch() was called: the caller may change his objects afterwards. Its params are encoded once, by
 * then, into memory of its own: for the connection that it goes out on, for one that it must wait for, and for another one
 * if it is sent again. What else they decide is read from them by then, too.
 * This folder: one request of a caller: its arguments checked, its body, its callbacks, its response. It imports
 * what its parent may.
 */

import type { Exchange } from '../../connection/exchange.ts';
import { FcgiError, TimeoutError } from '../../errors.ts';
import type { EncodedParams, RequestEncoder } from '../../protocol/encoder.ts';
import type { DispatchRequest } from '../dispatcher.ts';
import { type ParamFacts, paramFacts } from './param-facts.ts';

export class RequestSnapshot {
  /** Without its params, which are not to be read later. */
  request: Omit<DispatchRequest, 'params'>;
  /** What its server hangs on; '': any will do. */
  hashKey = '';
  /** The kernel has taken all of the latest attempt: its memory is free once it is answered. */
  isTaken = false;
  readonly #given: DispatchRequest;
  #params: EncodedParams | null = null;
  #facts: ParamFacts | null = null;
  #isSent = false;

  constructor(request: DispatchRequest) {
    this.request = request;
    this.#given = request;
  }

  get facts(): ParamFacts {
    this.#facts ??= paramFacts(this.#given);
    return this.#facts;
  }

  /** dispatch() is about to return, and the caller may change his objects. Throws as RequestEncoder does. */
  detach(encoder: RequestEncoder): void {
    if (this.#params !== null) return;
    this.#facts ??= paramFacts(this.#given);
    this.#params = encoder.params(this.#given.params);
    this.request = copyOf(this.#given);
  }

  /** To be completed, for the first time or once more. Throws as RequestEncoder does. */
  params(encoder: RequestEncoder): EncodedParams {
    if (this.#params === null) this.#params = encoder.params(this.#given.params);
    else if (this.#isSent) this.#params = encoder.copy(this.#params);
    this.#isSent = true;
    return this.#params;
  }

  /** It has been answered. */
  reclaim(encoder: RequestEncoder): void {
    if (this.#params !== null && this.isTaken) encoder.reclaim(this.#params.memory);
    this.#params = null;
  }
}

/** With what it has from its class, or from an object that it was made of: to spread it would leave that behind. */
export function copyOf(request: DispatchRequest): Omit<DispatchRequest, 'params'> {
  const { body, signal, idempotent, closeOnAbort, server, retry } = request;
  const { timeout, headersTimeout, bodyTimeout, onStderr, onAbort } = request;
  const copy: Required<Omit<DispatchRequest, 'params'>> = {
    body,
    signal,
    idempotent,
    closeOnAbort,
    server,
    retry,
    timeout,
    headersTimeout,
    bodyTimeout,
    onStderr,
    onAbort,
  };
  return copy;
}

/** Notes on an abort's error what was seen of the request. Its script runs on, and its connection is kept. */
export function noteAbandoned(
  reason: unknown,
  exchange: Exchange,
  requests: number,
  bytesSent: number,
): void {
  if (!(reason instanceof FcgiError)) return;
  const { reused, stderr } = exchange;
  reason.learn({
    phase: 'waiting',
    reused,
    requestsOnConnection: requests,
    bytesSent,
    executed: 'unknown',
    stderr,
  });
}

/**
 * What was seen of a request that its caller has aborted, for `controller.facts`: the error itself is the caller's own.
 * `exchange`: on which it went out, unless that has failed before.
 */
export function abortFacts(reason: unknown, exchange: Exchange | null): FcgiError {
  const error = new FcgiError('FCGI_ERR_ABORTED', 'the request was given up', { cause: reason });
  if (exchange === null) return error;
  const { bytesReceived, bytesSent, requestsOnConnection, reused, stderr } = exchange;
  const executed = exchange.isAnswered ? 'yes' : 'unknown';
  return error.learn({
    phase: exchange.phase(!exchange.handedOver),
    bytesReceived,
    bytesSent,
    requestsOnConnection,
    reused,
    stderr,
    executed,
  });
}

/** Notes on an abort's error that some of the answer has come, or all. */
export function noteAnswer(seen: FcgiError, exchange: Exchange): void {
  const { bytesReceived, bytesSent, requestsOnConnection, reused, stderr } = exchange;
  if (!exchange.isAnswered) return;
  const phase = exchange.phase(false);
  seen.learn({ phase, bytesReceived, bytesSent, requestsOnConnection, reused, stderr, executed: 'yes' });
}

/** The error, where what was seen can be noted on it: not on one of the caller's that he has frozen. Else null. */
export function noteable(error: unknown): FcgiError | null {
  return error instanceof FcgiError && !Object.isFrozen(error) ? error : null;
}

/** `timeout`: of the request as a whole, ms. */
export function timedOut(timeout: number): TimeoutError {
  return new TimeoutError('FCGI_ERR_TIMEOUT', `the request took longer than ${timeout} ms`);
}
