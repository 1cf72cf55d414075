/**
 * A request as it was when dispatch() was called: the caller may change his objects afterwards. The params of a request
 * that must wait are copied. Those of one that is sent at once are not, as that would be a tenth of what a request
 * costs: if it must be sent again, its params are read from the records that were sent, whose memory is its own until then.
 * This folder: one request of a caller: its arguments checked, its body, its callbacks, its response. It imports
 * what its parent may.
 */

import type { Exchange } from '../../connection/exchange.ts';
import { FcgiError, TimeoutError } from '../../errors.ts';
import { HEADER_LENGTH, RecordType } from '../../protocol/constants.ts';
import { decodeParams } from '../../protocol/decode-params.ts';
import type { Params } from '../../protocol/params.ts';
import { decodeHeader } from '../../protocol/record.ts';
import type { DispatchRequest } from '../dispatcher.ts';
import type { PlannedBody } from './body.ts';

export class RequestSnapshot {
  request: DispatchRequest;
  /** What the latest attempt was encoded into, where the kernel has taken all of it. */
  memory: Buffer | null = null;
  /** The records of the params that were sent, where `request` is the caller's own. */
  #sent: Buffer | null = null;
  #isCopy = false;

  constructor(request: DispatchRequest) {
    this.request = request;
  }

  /** dispatch() is about to return, and the caller may change his objects. */
  detach(): void {
    if (this.#isCopy || this.#sent !== null) return;
    this.#isCopy = true;
    this.request = { ...this.request, params: copyOf(this.request.params) };
  }

  /** `first`: what goes out first. It must stay as it is until the request has been answered. */
  onEncoded(first: Buffer): void {
    if (!this.#isCopy) this.#sent ??= first;
  }

  /** It may have to be sent again. */
  restore(body: PlannedBody | null): void {
    if (this.#sent === null) return;
    this.request = { ...this.request, params: sentParams(this.#sent, body) };
    this.#sent = null;
    this.#isCopy = true;
  }
}

/** `sent`: as RequestEncoder made them (no pair crosses two records), and perhaps more behind them. */
function sentParams(sent: Uint8Array, body: PlannedBody | null): Record<string, Uint8Array> {
  const params: Record<string, Uint8Array> = {};
  for (let at = 0; at < sent.length; ) {
    const { type, contentLength, paddingLength } = decodeHeader(sent, at);
    const content = at + HEADER_LENGTH;
    at = content + contentLength + paddingLength;
    if (type !== RecordType.PARAMS) continue;
    if (contentLength === 0) break;
    for (const [name, value] of decodeParams(sent.subarray(content, content + contentLength))) {
      params[name] = value;
    }
  }
  // The encoder has added it, and will again.
  if (body?.kind === 'bytes' && body.addLength) delete params['CONTENT_LENGTH'];
  return params;
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
  const { bytesReceived, reused, stderr } = exchange;
  const executed = bytesReceived > 0 ? 'yes' : 'unknown';
  return error.learn({
    phase: exchange.phase(!exchange.handedOver),
    bytesReceived,
    reused,
    stderr,
    executed,
  });
}

/** `timeout`: of the request as a whole, ms. */
export function timedOut(timeout: number): TimeoutError {
  return new TimeoutError('FCGI_ERR_TIMEOUT', `the request took longer than ${timeout} ms`);
}

/** Four times as fast as `{ ...params }`, where they have been put together one by one. */
function copyOf(params: Params): Params {
  const copy: Record<string, string | Uint8Array> = {};
  for (const name in params) {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value !== undefined) copy[name] = value;
  }
  return copy;
}
