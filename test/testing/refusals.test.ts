/** A mock that takes what a Pool refuses would let a fault of the application pass its tests. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { DispatchRequest } from '../../src/index.ts';
import { FcgiError, Pool } from '../../src/index.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';

const GET = { REQUEST_METHOD: 'GET', SCRIPT_FILENAME: '/a.php' };
const POST = { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: '/a.php' };
const pieces = async function* (): AsyncGenerator<string> {
  yield 'abc';
  yield 'de';
};

const long = async function* (): AsyncGenerator<Buffer> {
  for (let i = 0; i < 17; i++) yield Buffer.alloc(65_536);
};
const endless = async function* (): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
};
const numbers = async function* (): AsyncGenerator<unknown> {
  yield 5;
};

const cases: readonly (readonly [string, () => unknown])[] = [
  ['nothing', () => undefined],
  ['a text', () => 'GET /'],
  ['no params', () => ({})],
  ['a Map of params', () => ({ params: new Map([['REQUEST_METHOD', 'GET']]) })],
  ['Headers as params', () => ({ params: new Headers({ REQUEST_METHOD: 'GET' }) })],
  ['an array of params', () => ({ params: [['REQUEST_METHOD', 'GET']] })],
  ['no method', () => ({ params: { SCRIPT_FILENAME: '/a.php' } })],
  ['an empty method', () => ({ params: { ...GET, REQUEST_METHOD: '' } })],
  ['a number as param', () => ({ params: { ...GET, SERVER_PORT: 80 } })],
  ['a number as CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: 3 }, body: 'abc' })],
  ['a name that nobody knows', () => ({ params: GET, headerTimeout: 5 })],
  ['a CONTENT_LENGTH in words', () => ({ params: { ...POST, CONTENT_LENGTH: 'three' }, body: 'abc' })],
  ['a shorter CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: '2' }, body: 'abc' })],
  ['a longer CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: '4' }, body: 'abc' })],
  ['NUL in a name', () => ({ params: { ...GET, 'HTTP_\0': 'x' } })],
  ['NUL in a value', () => ({ params: { ...GET, HTTP_X: 'a\0b' } })],
  ['an empty name', () => ({ params: { ...GET, '': 'x' } })],
  ['a param that fits into no record', () => ({ params: { ...GET, HTTP_COOKIE: 'x'.repeat(70_000) } })],
  ['a Blob as body', () => ({ params: POST, body: new Blob(['abc']) })],
  ['a plain generator as body', () => ({ params: POST, body: ['abc'].values() })],
  ['a number as body', () => ({ params: POST, body: 5 })],
  [
    'a stream that was read before',
    async () => {
      const body = Readable.from(['abc']);
      await body.toArray();
      return { params: POST, body };
    },
  ],
  [
    'a web stream that was read before',
    async () => {
      const body = new Blob(['abc']).stream();
      for await (const _ of body);
      return { params: POST, body };
    },
  ],
  [
    'a web stream that somebody else reads',
    () => {
      const body = new Blob(['abc']).stream();
      body.getReader();
      return { params: POST, body };
    },
  ],
  [
    'one that somebody has divided, with its length',
    () => {
      const body = new Blob(['abc']).stream();
      body.tee();
      return { params: { ...POST, CONTENT_LENGTH: '3' }, body };
    },
  ],
  [
    'the body of a Request whose text() is asked for',
    () => {
      const asked = new Request('http://localhost/', { method: 'POST', body: 'abc' });
      void asked.text();
      return { params: POST, body: asked.body };
    },
  ],
  [
    'the body of a Response that was read',
    async () => {
      const answered = new Response('abc');
      await answered.text();
      return { params: POST, body: answered.body };
    },
  ],
  ['a signal that is none', () => ({ params: GET, signal: new EventEmitter() })],
  ['a policy that nobody knows', () => ({ params: GET, retry: 'twice' })],
  ['a timeout below 0', () => ({ params: GET, timeout: -1 })],
  ['a headersTimeout in words', () => ({ params: GET, headersTimeout: '5s' })],
  ['a bodyTimeout without end', () => ({ params: GET, bodyTimeout: Number.POSITIVE_INFINITY })],
  ['a word as idempotent', () => ({ params: GET, idempotent: 'yes' })],
  ['a number as closeOnAbort', () => ({ params: GET, closeOnAbort: 1 })],
  ['an object as server', () => ({ params: GET, server: {} })],
  ['an onStderr that cannot be called', () => ({ params: GET, onStderr: 'log' })],
  ['an onAbort that cannot be called', () => ({ params: GET, onAbort: {} })],
  ['a stream that is too long to be sent without CONTENT_LENGTH', () => ({ params: POST, body: long() })],
  ['one without end', () => ({ params: POST, body: endless() })],
  [
    'one without end that says so little',
    () => ({ params: { ...POST, CONTENT_LENGTH: '2' }, body: endless() }),
  ],
  ['a stream of numbers', () => ({ params: POST, body: numbers() })],
  ['a stream longer than it says', () => ({ params: { ...POST, CONTENT_LENGTH: '4' }, body: pieces() })],
  ['a stream shorter than it says', () => ({ params: { ...POST, CONTENT_LENGTH: '6' }, body: pieces() })],
];

describe('a mock refuses as a Pool does', () => {
  it.each(cases)('by the same callbacks, and as soon: %s', async (_, made) => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const told = async (by: Pool | MockDispatcher): Promise<string[]> => {
      const heard: string[] = [];
      const request = (await made()) as DispatchRequest;
      await new Promise<void>((resolve) => {
        by.dispatch(request, {
          onRequestStart: () => heard.push('start'),
          onResponseStart: () => heard.push('head'),
          onResponseData: () => heard.push('data'),
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => {
            heard.push(error instanceof FcgiError ? `${error.code} ${error.message}` : String(error));
            resolve();
          },
        });
        heard.push('returned');
      });
      return heard;
    };
    expect(await told(new MockDispatcher({ body: 'ok' }))).toEqual(await told(pool));
  });

  it.each(cases)('%s', async (_, made) => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const mock = new MockDispatcher({ body: 'ok' });
    const refusalOf = (to: Pool | MockDispatcher): Promise<unknown> =>
      Promise.resolve(made())
        .then((request) => to.request(request as DispatchRequest))
        .then(
          () => 'answered',
          ({ name, code, option }) => ({ name, code, option }),
        );
    const byPool = await refusalOf(pool);
    expect(byPool).toMatchObject({ name: 'ArgumentError' });
    expect(await refusalOf(mock)).toEqual(byPool);
    expect(mock.requests).toEqual([]);
  });

  it('a stream that the replayBuffer of the Pool in question would hold is taken', async () => {
    const mock = new MockDispatcher({ body: 'ok' }, { replayBuffer: 2_000_000 });
    expect(await (await mock.request({ params: POST, body: long() })).body.text()).toBe('ok');
    expect(() => new MockDispatcher({}, { replayBuffer: -1 })).toThrow('replayBuffer must be');
    expect(() => Reflect.construct(MockDispatcher, [{}, { replaybuffer: 1 }])).toThrow('replayBuffer');
  });

  it.each(['params', 'body', 'signal', 'onStderr'])('what a getter of %s throws', async (name) => {
    const error = new Error('mine');
    const request = Object.defineProperty({ params: GET }, name, {
      enumerable: true,
      get: () => {
        throw error;
      },
    });
    await using pool = new Pool('unix:/nowhere/fpm.sock');
    for (const to of [pool, new MockDispatcher()]) await expect(to.request(request)).rejects.toBe(error);
  });

  it('and takes what a Pool takes', async () => {
    const mock = new MockDispatcher({ body: 'ok' });
    for (const request of [
      { params: GET },
      { params: { ...POST, CONTENT_LENGTH: '5' }, body: pieces() },
      { params: { ...POST, CONTENT_LENGTH: Buffer.from('3') }, body: 'abc', timeout: 5, headersTimeout: 5 },
      { params: Object.assign(Object.create(null), GET) },
      { params: GET, retry: 'always', server: '127.0.0.1:9000', closeOnAbort: true, bodyTimeout: 0 },
    ])
      expect(await (await mock.request(request)).body.text()).toBe('ok');
  });

  it('a param that is undefined is left out by both', async () => {
    const params = { ...GET, HTTP_X: undefined } as unknown as DispatchRequest['params'];
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const mock = new MockDispatcher();
    for (const to of [pool, mock]) await (await to.request({ params })).body.text();
    for (const { requests } of [fpm, mock])
      expect(requests.map((request) => 'HTTP_X' in request.params)).toEqual([false]);
  });

  it('a callback, which would never be called', async () => {
    const mock = new MockDispatcher();
    const called = (): unknown => mock.request({ params: GET }, (() => {}) as unknown as undefined);
    expect(called).toThrow(expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: 'callback' }));
  });
});
