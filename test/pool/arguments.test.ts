import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Dispatcher, DispatchHandler, DispatchRequest } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { GET, POST, Recorder, rawServer, text } from './support.ts';

it.each<[string, unknown, string]>([
  ['no request at all', undefined, 'request'],
  ['null', null, 'request'],
  ['no params', {}, 'params'],
  ['params of a wrong type', { params: 'SCRIPT_FILENAME=/x' }, 'params'],
  ['a body of a wrong type', { params: POST, body: 5 }, 'body'],
  ['an unknown key', { params: GET, headerTimeout: 5 }, 'headerTimeout'],
  ['params that are a Map', { params: new Map([['REQUEST_METHOD', 'GET']]) }, 'params'],
  ['params that are Headers', { params: new Headers() }, 'params'],
  ['params that are an array', { params: ['REQUEST_METHOD=GET'] }, 'params'],
  ['params that are a class', { params: class {} }, 'params'],
  ['params that are an instance of one', { params: new (class Params {})() }, 'params'],
  ['params that are a function', { params: async () => GET }, 'params'],
  ['a promise of params', { params: Promise.resolve(GET) }, 'params'],
  ['no REQUEST_METHOD', { params: { SCRIPT_FILENAME: '/srv/index.php' } }, 'params.REQUEST_METHOD'],
  ['an empty one', { params: { ...GET, REQUEST_METHOD: '' } }, 'params.REQUEST_METHOD'],
  ['one that is no string', { params: { ...GET, REQUEST_METHOD: 5 } }, 'params.REQUEST_METHOD'],
  [
    'a CONTENT_LENGTH that is a number',
    { params: { ...POST, CONTENT_LENGTH: 3 }, body: 'abc' },
    'params.CONTENT_LENGTH',
  ],
  ['a CONTENT_LENGTH that is null', { params: { ...POST, CONTENT_LENGTH: null } }, 'params.CONTENT_LENGTH'],
  ['a timeout that is no number', { params: GET, timeout: '5s' }, 'timeout'],
  ['onAbort that is no function', { params: GET, onAbort: 'log' }, 'onAbort'],
  ['a signal that is none', { params: GET, signal: {} }, 'signal'],
  ['an unknown retry policy', { params: GET, retry: 'sometimes' }, 'retry'],
  ['a headersTimeout that is no number', { params: GET, headersTimeout: '5s' }, 'headersTimeout'],
  ['a negative bodyTimeout', { params: GET, bodyTimeout: -1 }, 'bodyTimeout'],
  ['idempotent of a wrong type', { params: GET, idempotent: 'yes' }, 'idempotent'],
  ['onStderr that is no function', { params: GET, onStderr: 'log' }, 'onStderr'],
  [
    'a CONTENT_LENGTH that is no number',
    { params: { ...POST, CONTENT_LENGTH: 'x' }, body: 'a' },
    'params.CONTENT_LENGTH',
  ],
])(
  'dispatch never throws: %s is told to the handler, by name, and nothing is dialled',
  async (_, request, option) => {
    await using server = await rawServer(() => {});
    await using pool = new Pool(server.address);
    const recorder = new Recorder();
    pool.dispatch(request as DispatchRequest, recorder);
    expect(await recorder.over).toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
      executed: 'no',
      attempts: 0,
    });
    await expect(pool.request(request as DispatchRequest)).rejects.toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
    });
    expect(server.sockets).toHaveLength(0);
    expect(pool.stats).toMatchObject({ connected: 0, queued: 0 });
  },
);

const thrower = new Proxy(
  {},
  {
    get: () => {
      throw new Error('of a getter');
    },
  },
);

it.each<[string, object]>([
  ['a request', thrower],
  ['a body', { params: GET, body: thrower }],
  ['a signal', { params: GET, signal: thrower }],
])('%s whose getters throw: its handler is told what, and the pool can be closed', async (_, request) => {
  const pool = new Pool('unix:/nowhere.sock');
  const recorder = new Recorder();
  pool.dispatch(request as DispatchRequest, recorder);
  expect(await recorder.over).toEqual(new Error('of a getter'));
  await pool.close();
});

it.each([
  ['NUL in a name', { 'A\0B': '1' }],
  ['NUL in a value', { A: '1\0' }],
  ['NUL in a value of bytes', { A: Buffer.from([0x31, 0]) }],
  ['a value of a wrong type', { A: 5 as unknown as string }],
])('%s: the request fails before a byte is sent, and the pool goes on', async (_, params) => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { connections: 1 });
  await expect(pool.request({ params: { ...GET, ...params } })).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
    executed: 'no',
    bytesSent: 0,
  });
  expect(await text(pool, { params: GET })).toBe('ok');
  // And on a kept connection: it is as good as before.
  await expect(pool.request({ params: { ...GET, ...params } })).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
  });
  expect(await text(pool, { params: GET })).toBe('ok');
  expect(fpm.accepted).toBe(1);
});

it('a param that no record can hold is a typed error, never cut', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  await expect(pool.request({ params: { ...GET, BIG: 'x'.repeat(65_528) } })).rejects.toMatchObject({
    code: 'FCGI_ERR_PARAM_TOO_LARGE',
    executed: 'no',
  });
  expect(fpm.requests).toHaveLength(0);
});

it('thousands of requests that cannot be encoded fail one by one, and the next good one is answered', {
  timeout: 60_000,
}, async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { connections: 1, queueSize: 30_000 });
  const bad = { params: { ...GET, BAD: 'a\0b' } };
  const all = Array.from({ length: 20_000 }, () => pool.request(bad).catch((error: unknown) => error));
  const good = text(pool, { params: GET });
  for (const error of await Promise.all(all)) expect(error).toMatchObject({ option: 'params.BAD' });
  expect(await good).toBeTypeOf('string');
});

it.each<[string, DispatchRequest, string]>([
  [
    'a key that is nearly one',
    { params: GET, headerTimeout: 5 } as never,
    'a request has no "headerTimeout"; is it headersTimeout that you mean?',
  ],
  ['one that is like none', { params: GET, wibble: 5 } as never, 'a request has no "wibble"'],
  [
    'a Map',
    { params: new Map() } as never,
    'params must be a plain object of strings and Uint8Arrays, not a Map',
  ],
  [
    'a function',
    { params: async () => GET } as never,
    'params must be an object of strings and Uint8Arrays, not a function',
  ],
  [
    'a number',
    { params: { ...POST, CONTENT_LENGTH: 3 } } as never,
    'params.CONTENT_LENGTH must be a string or a Uint8Array, not a number',
  ],
])('the message says what is wrong: %s', async (_, request, message) => {
  await using pool = new Pool('unix:/nowhere/fpm.sock');
  await expect(pool.request(request)).rejects.toThrow(message);
  await using upstream = new Upstream(['unix:/nowhere/fpm.sock']);
  await expect(upstream.request(request)).rejects.toThrow(message);
});

it.each<[unknown, string]>([
  [new Blob(['a']), 'not a Blob: give its stream()'],
  [new FormData(), 'not a FormData: give the body of `new Response(it)`'],
  [new URLSearchParams('a=b'), 'URLSearchParams: give String(it)'],
  [new ArrayBuffer(1), 'not an ArrayBuffer: give new Uint8Array(it)'],
  [Promise.resolve('a'), 'not a Promise: give what it resolves with'],
  [['a'], 'not an Array: give Readable.from(it)'],
  [new Set(['a']), 'not a Set: give Readable.from(it)'],
  [(function* () {})(), 'not a Generator: give Readable.from(it)'],
  [new (class {})(), 'not an Object'],
  [5, 'not a number'],
])('a body that is none: the message says how to make one of it (%s)', async (body, message) => {
  const request = { params: POST, body } as never;
  await using pool = new Pool('unix:/nowhere/fpm.sock');
  await expect(pool.request(request)).rejects.toThrow(message);
  await expect(new MockDispatcher().request(request)).rejects.toThrow(message);
});

it.each<[unknown, string]>([
  [new ArrayBuffer(1), 'the body gave an ArrayBuffer: give new Uint8Array(it)'],
  [new Uint16Array(1), 'the body gave an Uint16Array, which is'],
  [null, 'the body gave null, which is neither bytes nor a string'],
  [{}, 'the body gave an Object, which is neither bytes nor a string'],
])(
  'a stream of what is neither bytes nor a string: the message says what it gave (%s)',
  async (piece, message) => {
    const body = async function* () {
      yield piece;
    };
    const request = () => ({ params: POST, body: body() }) as never;
    await using pool = new Pool('unix:/nowhere/fpm.sock');
    await expect(pool.request(request())).rejects.toThrow(message);
    await expect(new MockDispatcher().request(request())).rejects.toThrow(message);
  },
);

it('an option of the pool that is nearly one', () => {
  const options = { keepAliveTimeout: 5 } as object;
  expect(() => new Pool('unix:/nowhere/fpm.sock', options)).toThrow('is it keepaliveTimeout that you mean?');
});

it.each<[string, object]>([
  ['without a prototype', Object.assign(Object.create(null), GET)],
  ['of another realm', runInNewContext('({ SCRIPT_FILENAME: "/srv/index.php", REQUEST_METHOD: "GET" })')],
])('params %s are as good as any', async (_, params) => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  expect(await text(pool, { params: params as DispatchRequest['params'] })).toBe('ok');
});

describe.each<[string, () => Dispatcher]>([
  ['Pool', () => new Pool('unix:/nowhere/fpm.sock')],
  ['Upstream', () => new Upstream(['unix:/nowhere/a.sock', 'unix:/nowhere/b.sock'])],
])('%s.dispatch() with a handler', (_, open) => {
  const whole = new Recorder();
  const callbacks = ['onResponseStart', 'onResponseData', 'onResponseEnd', 'onResponseError'] as const;
  const handler = (without: string): DispatchHandler =>
    Object.fromEntries(
      callbacks.filter((name) => name !== without).map((name) => [name, whole[name].bind(whole)]),
    ) as unknown as DispatchHandler;

  it.each<[string, unknown, string]>([
    ['none', undefined, 'handler'],
    ['null', null, 'handler'],
    ['a function', () => {}, 'handler'],
    ['one that cannot be told of errors', handler('onResponseError'), 'handler.onResponseError'],
    ['one of undici, of the years before', { onHeaders() {}, onError() {} }, 'handler.onResponseError'],
  ])('%s throws, as nobody could be told', async (_name, given, option) => {
    await using dispatcher = open();
    let thrown: unknown = null;
    try {
      dispatcher.dispatch({ params: GET }, given as DispatchHandler);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'ArgumentError', code: 'FCGI_ERR_INVALID_ARG', option });
    expect(dispatcher.stats).toMatchObject({ queued: 0, connected: 0 });
  });

  it.each(['onResponseStart', 'onResponseData', 'onResponseEnd'])(
    'that lacks %s tells it of that',
    async (name) => {
      await using dispatcher = open();
      const error = await new Promise((resolve) => {
        dispatcher.dispatch(
          { params: GET },
          { ...handler(name), onResponseError: (_controller, told) => resolve(told) },
        );
      });
      expect(error).toMatchObject({ name: 'ArgumentError', option: `handler.${name}` });
      expect(dispatcher.stats).toMatchObject({ queued: 0, connected: 0 });
    },
  );
});

it('what a library has given to all objects of the process is no key of a request, nor a param', async () => {
  const property = { value: (): void => {}, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(Object.prototype, 'ofSomeLibrary', property);
  try {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    expect(await text(pool, { params: GET })).toBe('ok');
    expect(fpm.requests.map(({ params }) => Object.hasOwn(params, 'ofSomeLibrary'))).toEqual([false]);
  } finally {
    Reflect.deleteProperty(Object.prototype, 'ofSomeLibrary');
  }
});
