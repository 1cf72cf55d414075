import { describe, expect, it } from 'vitest';
import { Exchange, type ExchangeListener } from '../../src/connection/exchange.ts';
import { dueTimeout } from '../../src/connection/timeouts.ts';

const nobody: ExchangeListener = { onHead() {}, onData() {}, onStderr() {}, onComplete() {}, onFailed() {} };

interface Moment {
  readonly headDone?: boolean;
  readonly sending?: boolean;
  readonly paused?: boolean;
  /** Bytes wait that the server does not take. */
  readonly stuffed?: boolean;
  readonly silence: number;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly closing?: boolean;
}

function due(moment: Moment): string | undefined {
  const {
    headDone = false,
    sending = false,
    paused = false,
    stuffed = false,
    silence,
    closing = false,
  } = moment;
  const exchange = new Exchange(nobody, true, true, moment.headersTimeout ?? 100, moment.bodyTimeout ?? 200);
  exchange.headDone = headDone;
  return dueTimeout(exchange, sending, paused, stuffed, silence, closing)?.code;
}

describe('before the head is there', () => {
  it('headersTimeout is due at its time, not before', () => {
    expect(due({ silence: 99 })).toBeUndefined();
    expect(due({ silence: 100 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  });

  it('the time that the caller takes to make its body is not counted', () => {
    expect(due({ silence: 1e6, sending: true })).toBeUndefined();
  });

  it('a server that takes nothing of the request is', () => {
    expect(due({ silence: 100, sending: true, stuffed: true })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  });
});

describe('after the head', () => {
  it('bodyTimeout is due at its time, not before', () => {
    expect(due({ headDone: true, silence: 199 })).toBeUndefined();
    expect(due({ headDone: true, silence: 200 })).toBe('FCGI_ERR_BODY_TIMEOUT');
  });
});

it('nothing is due while the reader has paused us', () => {
  for (const headDone of [false, true]) expect(due({ headDone, paused: true, silence: 1e6 })).toBeUndefined();
});

it('while the pool closes, a reader who has paused us has the time of a timeout, and no more', () => {
  const held = { paused: true, closing: true };
  expect(due({ ...held, silence: 99 })).toBeUndefined();
  expect(due({ ...held, silence: 100 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  expect(due({ ...held, headDone: true, silence: 199 })).toBeUndefined();
  expect(due({ ...held, headDone: true, silence: 200 })).toBe('FCGI_ERR_BODY_TIMEOUT');
  expect(due({ ...held, headDone: true, silence: 1e6, bodyTimeout: 0 })).toBeUndefined();
});

it('0 is no timeout', () => {
  expect(due({ silence: 1e6, headersTimeout: 0 })).toBeUndefined();
  expect(due({ headDone: true, silence: 1e6, bodyTimeout: 0 })).toBeUndefined();
});
