/** What is due in the middle of an exchange: a decision over plain facts. */
import { TimeoutError, type TimeoutErrorCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';

export interface Moment {
  /** Not all of the request has been taken by the kernel. */
  readonly sending: boolean;
  /** The reader of the response does not want more of it for now. */
  readonly paused: boolean;
  /** Some of the request waits for the kernel to take it. */
  readonly backpressured: boolean;
  /** The pool closes. */
  readonly closing: boolean;
  /** The server has ended its side, or broken off: what that means is found out within some seconds, if it takes what we send. */
  readonly ended: boolean;
  /** ms; see PoolOptions.terminatorDelay. */
  readonly terminatorDelay: number;
  /** The server is known to be PHP-FPM. */
  readonly isPhpFpm: boolean;
}

/**
 * `silence`: ms in which no byte moved. `headersTimeout` runs from the end of sending to the whole head, and while
 * the server takes nothing of what we send; time that the caller takes to make its body is the caller's.
 * `bodyTimeout` runs between pieces of the body. Neither runs while the reader has paused us. But a pool that is
 * `closing` waits for no caller for ever.
 * `'terminator'`: it may be a server that waits for the end of its input. Behind its first byte the record costs no
 * proof any more. Not so of PHP-FPM, which waits for none: unread at a worker that was told to leave, the record would make a reset of its
 * end, and over tcp that takes along what has not been acknowledged of the response.
 */
export function dueAfter(
  silence: number,
  exchange: Exchange,
  at: Moment,
): TimeoutError | 'terminator' | null {
  if (at.ended && !at.backpressured) return null;
  return dueTimeout(silence, exchange, at) ?? (dueTerminator(silence, exchange, at) ? 'terminator' : null);
}

function dueTimeout(silence: number, exchange: Exchange, at: Moment): TimeoutError | null {
  const { headersTimeout, bodyTimeout } = exchange;
  if (at.paused && !at.closing) return null;
  if (exchange.headDone) {
    if (bodyTimeout === 0 || silence < bodyTimeout) return null;
    if (at.paused) return readerStuck('FCGI_ERR_BODY_TIMEOUT', bodyTimeout);
    return new TimeoutError('FCGI_ERR_BODY_TIMEOUT', `no more of the response's body for ${bodyTimeout} ms`);
  }
  if (headersTimeout === 0 || silence < headersTimeout) return null;
  const stuck = at.sending && !at.backpressured;
  if (stuck) return at.closing ? sourceStuck(headersTimeout) : null;
  if (at.paused) return readerStuck('FCGI_ERR_HEADERS_TIMEOUT', headersTimeout);
  const what = at.sending ? 'the server took nothing of the request' : 'no head of the response';
  return new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', `${what} for ${headersTimeout} ms`);
}

/** Of the caller, who makes the body. */
export function sourceStuck(timeout: number): TimeoutError {
  return new TimeoutError(
    'FCGI_ERR_HEADERS_TIMEOUT',
    `the pool closes, and nothing more of the request came from its source for ${timeout} ms`,
    { facts: { hint: "the source of the request's body gives no more: end it before the pool is closed" } },
  );
}

/** Of the caller, who reads the body. */
function readerStuck(code: TimeoutErrorCode, timeout: number): TimeoutError {
  return new TimeoutError(code, `the pool closes, and its reader has paused the response for ${timeout} ms`, {
    facts: { hint: 'read the response to its end, or give it up, before the pool is closed' },
  });
}

function dueTerminator(silence: number, exchange: Exchange, at: Moment): boolean {
  if (at.sending || at.ended || exchange.terminatorSent) return false;
  return silence >= (exchange.bytesReceived > 0 && !at.isPhpFpm ? SHORT : at.terminatorDelay);
}

/** ms */
const SHORT = 50;
