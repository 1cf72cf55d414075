import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/connection/exchange.ts';
import { dueAfter } from '../../src/connection/timeouts.ts';
import { nobody } from './support.ts';

interface Moment {
  readonly bytesReceived?: number;
  readonly terminatorSent?: boolean;
  /** The server has ended its side. */
  readonly ended?: boolean;
  readonly headDone?: boolean;
  readonly sending?: boolean;
  readonly paused?: boolean;
  /** Bytes wait that the server does not take. */
  readonly backpressured?: boolean;
  readonly silence: number;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly closing?: boolean;
  readonly isPhpFpm?: boolean;
}

function due(moment: Moment): string | undefined {
  const what = dueIn(moment);
  return what === null ? undefined : what === 'terminator' ? what : what.code;
}

function hintOf(moment: Moment): string | undefined {
  const what = dueIn(moment);
  return what === null || what === 'terminator' ? undefined : what.hint;
}

function dueIn(moment: Moment): ReturnType<typeof dueAfter> {
  const {
    headDone = false,
    sending = false,
    paused = false,
    backpressured = false,
    silence,
    closing = false,
    ended = false,
    isPhpFpm = false,
  } = moment;
  const exchange = new Exchange(
    nobody,
    1,
    true,
    true,
    moment.headersTimeout ?? 100,
    moment.bodyTimeout ?? 200,
  );
  exchange.headDone = headDone;
  exchange.bytesReceived = moment.bytesReceived ?? 0;
  exchange.terminatorAfter = moment.terminatorSent === true ? 1 : -1;
  const at = { sending, paused, backpressured, closing, ended, terminatorDelay: 5_000, isPhpFpm };
  return dueAfter(silence, exchange, at);
}

describe('before the head is there', () => {
  it('headersTimeout is not due once the server has ended its side: a recycled worker would fail what it has not run', () => {
    expect(due({ silence: 1e6, ended: true })).toBeUndefined();
    expect(due({ silence: 1e6, ended: true, sending: true })).toBeUndefined();
  });

  it('headersTimeout is due where the server has ended its side and takes nothing any more', () => {
    const full = { ended: true, backpressured: true };
    expect(due({ silence: 100, ...full })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
    expect(due({ silence: 100, ...full, sending: true })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
    expect(due({ silence: 1e6, ...full, headersTimeout: 0, bodyTimeout: 0 })).toBeUndefined();
  });

  it('headersTimeout is due at its time, not before', () => {
    expect(due({ silence: 99 })).toBeUndefined();
    expect(due({ silence: 100 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  });

  it('the time that the caller takes to make its body is not counted', () => {
    expect(due({ silence: 1e6, sending: true })).toBeUndefined();
  });

  it('while the pool closes, a source that gives no more has that time, and no more', () => {
    expect(due({ closing: true, sending: true, silence: 99 })).toBeUndefined();
    expect(due({ closing: true, sending: true, silence: 100 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
    expect(due({ closing: true, sending: true, silence: 1e9, headersTimeout: 0 })).toBeUndefined();
  });

  it('a server that takes nothing of the request is', () => {
    expect(due({ silence: 100, sending: true, backpressured: true })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  });
});

describe('after the head', () => {
  it('bodyTimeout is due at its time, not before', () => {
    expect(due({ headDone: true, silence: 199 })).toBeUndefined();
    expect(due({ headDone: true, silence: 200 })).toBe('FCGI_ERR_BODY_TIMEOUT');
  });
});

it('nothing is due while the reader has paused us', () => {
  for (const headDone of [false, true])
    expect(due({ headDone, paused: true, terminatorSent: true, silence: 1e6 })).toBeUndefined();
});

it('while the pool closes, a reader who has paused us has the time of a timeout, and no more', () => {
  const held = { paused: true, closing: true };
  expect(due({ ...held, silence: 99 })).toBeUndefined();
  expect(due({ ...held, silence: 100 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  expect(due({ ...held, headDone: true, silence: 199 })).toBeUndefined();
  expect(due({ ...held, headDone: true, silence: 200 })).toBe('FCGI_ERR_BODY_TIMEOUT');
  expect(
    due({ ...held, headDone: true, silence: 1e6, bodyTimeout: 0, terminatorSent: true }),
  ).toBeUndefined();
});

it('who holds a pool up that closes is told so, and not that PHP is slow', () => {
  const closing = { closing: true, silence: 1e6, terminatorSent: true };
  expect(hintOf({ ...closing, sending: true })).toMatch(/^the source of the request's body/);
  expect(hintOf({ ...closing, paused: true })).toMatch(/^read the response/);
  expect(hintOf({ ...closing, paused: true, headDone: true })).toMatch(/^read the response/);
  expect(hintOf(closing)).toBe('');
});

it('0 is no timeout', () => {
  expect(due({ silence: 1e6, terminatorSent: true, headersTimeout: 0 })).toBeUndefined();
  expect(due({ headDone: true, terminatorSent: true, silence: 1e6, bodyTimeout: 0 })).toBeUndefined();
});

describe('the end of input that is held back', () => {
  const waiting = { headersTimeout: 0, bodyTimeout: 0 };

  it('goes out after its delay, and before that to a server that has begun to answer', () => {
    expect(due({ ...waiting, silence: 4_999 })).toBeUndefined();
    expect(due({ ...waiting, silence: 5_000 })).toBe('terminator');
    expect(due({ ...waiting, silence: 49, bytesReceived: 1 })).toBeUndefined();
    expect(due({ ...waiting, silence: 50, bytesReceived: 1 })).toBe('terminator');
  });

  it('waits for its delay of PHP-FPM that has begun to answer, too: unread, it would make a reset of the end of a worker', () => {
    expect(due({ ...waiting, silence: 4_999, bytesReceived: 1, isPhpFpm: true })).toBeUndefined();
    expect(due({ ...waiting, silence: 5_000, bytesReceived: 1, isPhpFpm: true })).toBe('terminator');
  });

  it('goes out once, behind all of the body, and never behind the end of the server', () => {
    expect(due({ ...waiting, silence: 1e6, terminatorSent: true })).toBeUndefined();
    expect(due({ ...waiting, silence: 1e6, sending: true })).toBeUndefined();
    expect(due({ ...waiting, silence: 1e6, ended: true })).toBeUndefined();
  });

  it('does not put a timeout off', () => {
    expect(due({ silence: 5_000, headersTimeout: 5_000 })).toBe('FCGI_ERR_HEADERS_TIMEOUT');
  });
});
