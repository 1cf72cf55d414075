/** From what a connection has seen to the error of its caller: the facts that the verdict is made of, and its words. */
import { expect, it } from 'vitest';
import { type Circumstances, exchangeError } from '../../../src/connection/evidence/failure.ts';
import type { PrematureClose } from '../../../src/connection/evidence/premature-close.ts';
import { Exchange } from '../../../src/connection/exchange.ts';
import { FcgiError, ProtocolError } from '../../../src/errors.ts';

const reset: PrematureClose = {
  sign: 'reset',
  error: new Error('read ECONNRESET'),
  reason: 'reset',
  afterFin: 'not-probed',
};
const refused: PrematureClose = { ...reset, sign: 'write-refused', error: new Error('write EPIPE') };
const fin: PrematureClose = { ...reset, sign: 'fin', error: null, reason: 'failed' };

const direct: Circumstances = {
  requests: 2,
  sending: false,
  bytesSent: 300,
  transport: 'unix',
  isLocal: true,
  server: { isPhpFpm: true, isDirect: true },
  bodyReading: { isChanged: false, isDoubted: () => false },
  elapsed: 5,
};
const remote = { transport: 'tcp', isLocal: false } as const;
const behindProxy = { server: { isPhpFpm: true, isDirect: false } };
/** On a kept connection; all of it was sent but the end of input. */
function sent(change: Partial<Exchange> = {}): Exchange {
  const listener = { onHead() {}, onData() {}, onStderr() {}, onPart() {}, onComplete() {}, onFailed() {} };
  const exchange = new Exchange(listener, 2, true, true, 0, 0);
  exchange.begin(1, '/srv/before.php', 0, 0);
  exchange.handedOver = true;
  return Object.assign(exchange, change);
}

function failureOf(cause: PrematureClose, exchange: Exchange, at: Circumstances): FcgiError {
  const error = exchangeError(cause, exchange, at);
  if (!(error instanceof FcgiError)) throw new TypeError('no FcgiError');
  return error;
}

it.each<[string, PrematureClose, Partial<Exchange>, Partial<Circumstances>, string]>([
  ['a reset, read before the end of input was sent', reset, {}, {}, 'no'],
  ['the same behind the end of input', reset, { terminatorAfter: 50 }, {}, 'unknown'],
  [
    'a reset while some of the request was still to be sent',
    reset,
    { terminatorAfter: 50 },
    { sending: true },
    'no',
  ],
  ['FIN, and all that followed was taken', { ...fin, afterFin: 'accepted' }, {}, {}, 'no'],
  ['FIN, and what followed was refused', { ...fin, afterFin: 'refused' }, {}, {}, 'unknown'],
  [
    'the same: what was still being sent may have been taken',
    { ...fin, afterFin: 'refused' },
    {},
    { sending: true },
    'unknown',
  ],
  ['the same before all was handed over', { ...fin, afterFin: 'refused' }, { handedOver: false }, {}, 'no'],
  ['a reset by another machine, and nothing was sent twice', reset, {}, remote, 'no'],
  ['the same: a piece of it may have been', { ...reset, sentTwice: true }, {}, remote, 'unknown'],
  ['a reset by unix, and a proxy may stand in between', reset, {}, behindProxy, 'no'],
  ['the same of a request with a body', reset, { hasBody: true }, behindProxy, 'unknown'],
  ['the same by tcp', reset, {}, { ...behindProxy, transport: 'tcp' }, 'unknown'],
  ['the very first write refused', refused, { nothingAccepted: true, readBeforeScript: false }, {}, 'no'],
  ['a write refused, and the end of input not sent: it was a piece of the request', refused, {}, {}, 'no'],
  ['the end of input refused', refused, { terminatorAfter: 50 }, {}, 'unknown'],
  [
    'the same while some of the request was still to be sent',
    refused,
    { terminatorAfter: 50 },
    { sending: true },
    'no',
  ],
  ['any of these behind a byte of the response', reset, { bytesReceived: 8 }, {}, 'yes'],
  [
    'a reset, and a worker was told since to start scripts before it reads a body',
    reset,
    { hasBody: true, mayLeaveBody: true },
    { bodyReading: { isChanged: true, isDoubted: () => false } },
    'unknown',
  ],
  [
    'the same: there is no body',
    reset,
    {},
    { bodyReading: { isChanged: true, isDoubted: () => false } },
    'no',
  ],
  [
    'a reset, and it is doubted since that bodies are read first',
    reset,
    { hasBody: true, mayLeaveBody: true },
    { bodyReading: { isChanged: false, isDoubted: () => true } },
    'unknown',
  ],
  [
    'the same: the options say that they are',
    reset,
    { hasBody: true, mayLeaveBody: false },
    { bodyReading: { isChanged: false, isDoubted: () => true } },
    'no',
  ],
])('%s', (_, cause, change, circumstances, executed) => {
  expect(failureOf(cause, sent(change), { ...direct, ...circumstances }).executed).toBe(executed);
});

it.each([
  [null, null, true],
  [true, null, true],
  [null, true, true],
  [true, true, false],
  [false, null, false],
  [null, false, false],
])(
  'a reset of a form, PHP-FPM %s, direct %s: may knowing more of the server make it a proof? %s',
  (isPhpFpm, isDirect, may) => {
    const exchange = sent({ hasBody: true });
    const error = failureOf(reset, exchange, { ...direct, server: { isPhpFpm, isDirect } });
    const { onceKnown } = exchange;
    expect(onceKnown !== null).toBe(may);
    if (onceKnown === null) return;
    expect(error.executed).toBe('unknown');
    expect(onceKnown({ isPhpFpm: true, isDirect: true })).toMatchObject({
      executed: 'no',
      hint: expect.stringContaining('before it read the request'),
    });
    expect(onceKnown({ isPhpFpm: true, isDirect: false }).executed).toBe('unknown');
    expect(onceKnown({ isPhpFpm: null, isDirect: true }).executed).toBe('unknown');
  },
);

it.each([
  [null, null, true],
  [null, false, true],
  [true, null, false],
  [false, null, false],
])(
  'by unix, without a body, PHP-FPM %s, direct %s: may knowing that it is PHP-FPM make it a proof? %s',
  (isPhpFpm, isDirect, may) => {
    const exchange = sent();
    failureOf(reset, exchange, { ...direct, server: { isPhpFpm, isDirect } });
    expect(exchange.onceKnown?.({ isPhpFpm: true, isDirect: false }).executed === 'no').toBe(may);
  },
);

it('what stays unknown whatever the server is asks for nothing', () => {
  const exchange = sent({ terminatorAfter: 50 });
  failureOf(reset, exchange, { ...direct, server: { isPhpFpm: null, isDirect: null } });
  expect(exchange.onceKnown).toBeNull();
});

it('what is sure whatever the server is asks for nothing either', () => {
  const exchange = sent({ nothingAccepted: true });
  const error = failureOf(refused, exchange, { ...direct, server: { isPhpFpm: null, isDirect: null } });
  expect([error.executed, exchange.onceKnown]).toEqual(['no', null]);
});

it.each<[string, PrematureClose, Partial<Exchange>, RegExp]>([
  ['was unread', reset, {}, /^php-fpm was stopped or reloaded .*; or the worker died, behind a TCP proxy/],
  ['had been read', reset, { terminatorAfter: 50 }, /^the worker died/],
])(
  'PHP-FPM, and nobody knows whether there is a proxy: the hint tells whether some of the request %s',
  (_, cause, change, hint) => {
    const server = { isPhpFpm: true, isDirect: null };
    expect(failureOf(cause, sent({ hasBody: true, ...change }), { ...direct, server }).hint).toMatch(hint);
  },
);

it.each<[string, PrematureClose, number, string, string]>([
  ['reset', reset, 0, 'FCGI_ERR_SOCKET_RESET', 'the server reset the connection before it answered'],
  [
    'reset',
    reset,
    8,
    'FCGI_ERR_SOCKET_RESET',
    'the server reset the connection before the response was complete',
  ],
  ['FIN', fin, 0, 'FCGI_ERR_SOCKET_CLOSED', 'the server closed the connection before it answered'],
  [
    'a network that is gone',
    { ...reset, sign: 'other', error: new Error('read EHOSTUNREACH') },
    0,
    'FCGI_ERR_SOCKET_CLOSED',
    'the connection failed before it answered: read EHOSTUNREACH',
  ],
])('%s, as an error', (_, cause, bytesReceived, code, message) => {
  const error = failureOf(cause, sent({ bytesReceived }), direct);
  expect({ code: error.code, message: error.message }).toEqual({ code, message });
  expect(error.hint).not.toBe('');
});

it.each([
  [{ mayLeaveBody: true }, true],
  [{ mayLeaveBody: false }, false],
  [{ mayLeaveBody: true, readBeforeScript: false, isBodyDoubted: true }, true],
])('a reset of %o: that it was not run rests on its body: %s', (change, expected) => {
  const exchange = sent(change);
  failureOf(reset, exchange, direct);
  expect(exchange.restsOnBody).toBe(expected);
});

it.each([
  [{ isChanged: false, isDoubted: () => false }, [true, false]],
  // A worker was told since to start scripts before it reads a body: that it was left unread says nothing more.
  [{ isChanged: true, isDoubted: () => false }, [false, false]],
  // Another one has left a body unread since: this may be the next.
  [{ isChanged: false, isDoubted: () => true }, [true, true]],
])('a reset of a body that was to be read first, by what is believed now, %o', (bodyReading, expected) => {
  const exchange = sent({ hasBody: true, mayLeaveBody: true, isAccepted: true });
  const { hint } = failureOf(reset, exchange, { ...direct, bodyReading });
  expect([exchange.restsOnBody, exchange.isBodyLeft]).toEqual(expected);
  expect(hint.includes('It has left the body unread')).toBe(exchange.isBodyLeft);
});

it.each<[string, Partial<Exchange>, boolean]>([
  ['so it is', {}, true],
  ['not where the verdict does not rest on the body', { restsOnBody: false }, false],
  ['nor where it went out as if the body was read first', { isBodyDoubted: false }, false],
  ['nor where no worker was known to have the connection', { isAccepted: false }, false],
  ['but where it was lost so before', { isAccepted: false, wasBodyLost: true }, true],
])('a worker had the request, and left the body unread: %s', (_, change, expected) => {
  const left = { restsOnBody: true, isBodyDoubted: true, isAccepted: true };
  expect(sent({ ...left, ...change }).isBodyLeft).toBe(expected);
});

it('a body that may have been left unread: the hint names the option', () => {
  const left = { mayLeaveBody: true, readBeforeScript: false, isBodyDoubted: true };
  expect(failureOf(reset, sent({ ...left, isAccepted: true }), direct).hint).toContain('`postDataReading`');
  expect(failureOf(reset, sent(left), direct).hint).toContain('`postDataReading`');
  const told = { ...left, mayLeaveBody: false };
  expect(failureOf(reset, sent(told), direct).hint).not.toContain('postDataReading');
});

it('an error that has a hint keeps it; what the caller gave is passed on as it is', () => {
  const own = new ProtocolError('FCGI_ERR_RECORD_TYPE', 'not a record').learn({
    hint: 'is this a FastCGI server?',
  });
  const told = failureOf({ ...reset, sign: 'other', error: own, reason: 'protocol-error' }, sent(), direct);
  expect(told.hint).toBe('is this a FastCGI server?');
  const reason = new Error('the user left');
  expect(exchangeError({ ...reset, sign: 'other', error: reason, reason: 'aborted' }, sent(), direct)).toBe(
    reason,
  );
});

it.each([
  [{ headDone: true, outputSeen: true, bytesReceived: 90 }, 'yes'],
  [{ outputSeen: true, bytesReceived: 30 }, 'unknown'],
  [{ bytesReceived: 16 }, 'no'],
])('refused in END_REQUEST, %o: executed %s', (change, executed) => {
  const overloaded = new ProtocolError('FCGI_ERR_OVERLOADED', 'the server is overloaded');
  const cause: PrematureClose = { ...reset, sign: 'other', error: overloaded, reason: 'failed' };
  expect(failureOf(cause, sent(change), direct).executed).toBe(executed);
});
