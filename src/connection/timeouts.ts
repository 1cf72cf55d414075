/** Which of a request's timeouts is due: a decision over plain facts. */
import { TimeoutError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

/**
 * `silence`: ms in which no byte moved. `headersTimeout` runs from the end of sending to the whole head, and while
 * the server takes nothing of what we send; time that the caller takes to make its body is the caller's.
 * `bodyTimeout` runs between pieces of the body, and not while the reader has paused us.
 */
export function dueTimeout(
  exchange: Exchange,
  sending: boolean,
  paused: boolean,
  stuffed: boolean,
  silence: number,
): TimeoutError | null {
  const { headersTimeout, bodyTimeout } = exchange;
  if (paused) return null;
  if (exchange.headDone) {
    if (bodyTimeout === 0 || silence < bodyTimeout) return null;
    return new TimeoutError('FCGI_ERR_BODY_TIMEOUT', `no more of the response's body for ${bodyTimeout} ms`);
  }
  if (headersTimeout === 0 || silence < headersTimeout || (sending && !stuffed)) return null;
  const what = sending ? 'the server took nothing of the request' : 'no head of the response';
  return new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', `${what} for ${headersTimeout} ms`);
}
