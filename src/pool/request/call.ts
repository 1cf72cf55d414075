/**
 * A request as it was when dispatch() was called, whatever becomes of the caller's objects. What waits is copied. What
 * goes out at once is not, which would be a tenth of what a request costs: if it must be sent again, its params are
 * read from the records that were sent.
 */

import type { Exchange } from '../../connection/exchange.ts';
import { FcgiError } from '../../errors.ts';
import { HEADER_LENGTH, RecordType } from '../../protocol/constants.ts';
import { decodeParams } from '../../protocol/decode-params.ts';
import { decodeHeader } from '../../protocol/record.ts';
import type { DispatchRequest } from '../dispatcher.ts';
import type { PlannedBody } from './body.ts';

export function copied(request: DispatchRequest): DispatchRequest {
  return { ...request, params: { ...request.params } };
}

/** `sent`: the records of the params, as RequestEncoder made them (no pair crosses two), and perhaps more behind them. */
export function restored(
  request: DispatchRequest,
  sent: Uint8Array,
  body: PlannedBody | null,
): DispatchRequest {
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
  return { ...request, params };
}

/**
 * Where what was seen of a request is noted, if its error is the caller's own. `exchange`: on which it went out, and
 * which nobody has looked at yet.
 */
export function givenUp(reason: unknown, exchange: Exchange | null): FcgiError {
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
