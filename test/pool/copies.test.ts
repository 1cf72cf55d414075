/**
 * The package may be there twice: as a dependency of two others, in two versions, or loaded anew by `jest.resetModules()`.
 * An error of the one copy is what it is to the other one, as undici's are.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import * as errors from '../../src/errors.ts';
import { createHandler } from '../../src/gateway/node.ts';
import type { Dispatcher } from '../../src/pool/dispatcher.ts';

vi.resetModules();
const copy = await import('../../src/errors.ts');

const ours = new Map(Object.entries(errors));
const theirs = new Map(Object.entries(copy));

function is(value: unknown, classes: ReadonlyMap<string, unknown>, kind: string): boolean {
  const asked = classes.get(kind);
  return typeof asked === 'function' && value instanceof asked;
}

const KINDS = [
  'ArgumentError',
  'ConnectError',
  'SocketError',
  'TimeoutError',
  'ProtocolError',
  'PoolError',
  'RequestError',
] as const;

const made = {
  ArgumentError: new copy.ArgumentError('FCGI_ERR_INVALID_ARG', 'x', 'message'),
  ConnectError: new copy.ConnectError('FCGI_ERR_CONNECT', 'message'),
  SocketError: new copy.SocketError('FCGI_ERR_SOCKET_RESET', 'message'),
  TimeoutError: new copy.TimeoutError('FCGI_ERR_TIMEOUT', 'message'),
  ProtocolError: new copy.ProtocolError('FCGI_ERR_RECORD_ID', 'message'),
  PoolError: new copy.PoolError('FCGI_ERR_CLOSED', 'message'),
  RequestError: new copy.RequestError('FCGI_ERR_BODY_READ', 'message'),
};

it('the copy is another one', () => {
  expect(copy.FcgiError).not.toBe(errors.FcgiError);
});

describe.each(KINDS)('%s of another copy', (kind) => {
  const error: unknown = made[kind];

  it('is an FcgiError and an Error', () => {
    expect(error instanceof errors.FcgiError).toBe(true);
    expect(error instanceof Error).toBe(true);
  });

  it.each(KINDS)('is a %s only where it is one', (other) => {
    expect(is(error, ours, other)).toBe(other === kind);
    expect(is(error, theirs, other)).toBe(other === kind);
  });
});

it('the base class is no kind of its own', () => {
  const error: unknown = new copy.FcgiError('FCGI_ERR_ABORTED', 'message');
  expect(error instanceof errors.FcgiError).toBe(true);
  for (const kind of KINDS) expect(is(error, ours, kind)).toBe(false);
});

it("a class of the caller's own is told by its prototype, as any class is", () => {
  class Mine extends errors.TimeoutError {}
  const mine: unknown = new Mine('FCGI_ERR_TIMEOUT', 'mine');
  const other: unknown = new errors.TimeoutError('FCGI_ERR_TIMEOUT', 'other');
  expect(mine instanceof Mine && mine instanceof errors.TimeoutError).toBe(true);
  expect(other instanceof Mine).toBe(false);
});

it.each([
  null,
  undefined,
  'text',
  7,
  {},
  new Error('plain'),
  Object.create(null),
  { name: 'TimeoutError', code: 'FCGI_ERR_TIMEOUT' },
])('%s is none', (value: unknown) => {
  for (const kind of ['FcgiError', ...KINDS]) expect(is(value, ours, kind)).toBe(false);
});

it('does not show when an error is printed', () => {
  expect(Object.getOwnPropertySymbols(made.TimeoutError)).toEqual([]);
});

it('a handler of one copy gives the Retry-After that the pool of another one says', async () => {
  const refused = new copy.PoolError('FCGI_ERR_QUEUE_OVERLOAD', 'full', { facts: { retryAfter: 7 } });
  const pool: Pick<Dispatcher, 'dispatch'> = {
    dispatch: (_, handler) =>
      handler.onResponseError(
        { aborted: false, paused: false, facts: null, rawHeaders: [], pause() {}, resume() {}, abort() {} },
        refused,
      ),
  };
  const root = `${import.meta.dirname}/../../examples/site`;
  const php = createHandler(pool as Dispatcher, { root, onError: () => {} });
  const server = createServer(php).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/index.php`);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('7');
  await new Promise((resolve) => server.close(resolve));
});
