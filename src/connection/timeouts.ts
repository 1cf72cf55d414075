/** Which of a request's timeouts is due: a decision over plain facts. */
import { TimeoutError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

/**
 * `silence`: ms in which no byte moved. `headersTimeout` runs from the end of sending to the whole head, and while
 * the server takes nothing of what we send; time that the caller takes to make its body is the caller's.
 * `bodyTimeout` runs between pieces of the body. Neither runs while the reader has paused us, but for
 * `closing`: a pool that closes waits for nobody for ever.
 */
export function dueTimeout(
  exchange: Exchange,
  sending: boolean,
  paused: boolean,
  stuffed: boolean,
  silence: number,
  closing: boolean,
): TimeoutError | null {
  const { headersTimeout, bodyTimeout } = exchange;
  if (paused && !closing) return null;
  if (exchange.headDone) {
    if (bodyTimeout === 0 || silence < bodyTimeout) return null;
    const message = paused
      ? `the pool closes, and its reader has paused the response for ${bodyTimeout} ms`
      : `no more of the response's body for ${bodyTimeout} ms`;
    return new TimeoutError('FCGI_ERR_BODY_TIMEOUT', message);
  }
  if (headersTimeout === 0 || silence < headersTimeout || (sending && !stuffed)) return null;
  const what = sending ? 'the server took nothing of the request' : 'no head of the response';
  return new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', `${what} for ${headersTimeout} ms`);
}
