/**
 * What an application sees of a Pool it sees of a mock: each case is told to both, and what they say is compared. Where a mock is
 * kinder, a fault of the application passes its tests.
 */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  type DispatchController,
  type Dispatcher,
  type DispatchHandler,
  type DispatchRequest,
  FcgiError,
  type FcgiResponse,
  Pool,
} from '../../src/index.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';
import { gate } from './support/gate.ts';

const GET = { REQUEST_METHOD: 'GET', SCRIPT_FILENAME: '/a.php' };
const LONG = 'x'.repeat(300_000);

interface Page {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly stderr?: string;
  /** The script waits for it. */
  readonly held?: Promise<void>;
}

/** Both with the same page: what `use` makes of each. */
async function byBoth(page: Page, use: (php: Dispatcher) => Promise<unknown>): Promise<[unknown, unknown]> {
  const { statusCode = 200, headers = {}, body = '', stderr = '', held } = page;
  await using fpm = await startFakeFpm({
    script: async (_request, response) => {
      await held;
      await response.stderr(stderr);
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      await response.stdout(`Status: ${statusCode}\r\n${fields.join('')}\r\n${body}`);
    },
  });
  await using pool = new Pool(fpm.address);
  const ofPool = await use(pool);
  const mock = new MockDispatcher(async () => {
    await held;
    return { statusCode, headers, body, stderr };
  });
  return [ofPool, await use(mock)];
}

function told(error: unknown): unknown {
  if (!(error instanceof FcgiError))
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  const { name, code, phase, executed, attempts, message } = error;
  // A Pool says in it to what server it is.
  return { name, code, phase, executed, attempts, message: name === 'PoolError' ? '' : message };
}

describe('of the body of a response', () => {
  it.each<[string, Page, (body: FcgiResponse['body']) => Promise<unknown>]>([
    ['text() twice', { body: 'abc' }, async (body) => [await body.text(), await body.text()]],
    ['text() twice at once', { body: 'abc' }, (body) => Promise.all([body.text(), body.text()])],
    [
      'text() behind a loop',
      { body: 'abc' },
      async (body) => {
        for await (const _ of body);
        return body.text();
      },
    ],
    [
      'bodyUsed as soon as text() is asked for',
      { body: 'abc' },
      async (body) => {
        const before = body.bodyUsed;
        const text = body.text();
        return [before, body.bodyUsed, await text];
      },
    ],
    [
      'text() behind dump()',
      { body: 'abc' },
      async (body) => {
        await body.dump();
        return body.text();
      },
    ],
    ['dump() of a long one', { body: LONG }, (body) => body.dump({ limit: 10 })],
    [
      'text() beside a reader that has just begun',
      { body: LONG },
      async (body) => {
        let length = 0;
        body.on('data', (chunk) => {
          length += chunk.length;
        });
        const text = await body.text();
        return [length, text.length];
      },
    ],
    ['shorter than its Content-Length', { headers: { 'Content-Length': '5' }, body: 'abc' }, (b) => b.text()],
    ['longer than its Content-Length', { headers: { 'Content-Length': '2' }, body: 'abc' }, (b) => b.text()],
    ['as long as its Content-Length', { headers: { 'Content-Length': '3' }, body: 'abc' }, (b) => b.text()],
    ['a Content-Length in words', { headers: { 'Content-Length': 'three' }, body: 'abc' }, (b) => b.text()],
    ['none with 304', { statusCode: 304, headers: { 'Content-Length': '5' } }, (body) => body.text()],
  ])('%s', async (_, page, use) => {
    const [ofPool, ofMock] = await byBoth(page, async (php) => {
      const { body, ended } = await php.request({ params: GET });
      const used = await use(body).catch(told);
      return { used, ended: await ended.then(({ executed }) => executed, told) };
    });
    expect(ofMock).toEqual(ofPool);
  });

  it('that is read twice fails, and is not empty the second time', async () => {
    const { body } = await new MockDispatcher({ body: 'abc' }).request({ params: GET });
    expect(await body.text()).toBe('abc');
    await expect(body.text()).rejects.toBeInstanceOf(TypeError);
  });
});

/** All that a handler is told, with the facts at each error; `at` is called in each callback. */
function events(
  php: Dispatcher,
  request: Partial<DispatchRequest>,
  at: (callback: string, controller: DispatchController) => void,
): Promise<unknown[]> {
  return new Promise((resolve) => {
    const all: unknown[] = [];
    const handler: DispatchHandler = {
      onRequestStart: (controller) => tell('start', controller),
      onResponseStart: (controller, statusCode) => tell('head', controller, statusCode),
      onResponseData: (controller, chunk) => tell('data', controller, chunk.length),
      onResponseEnd: (controller) => {
        queueMicrotask(() => resolve(all));
        tell('end', controller);
      },
      onResponseError: (controller, error) => {
        queueMicrotask(() => resolve(all));
        const { facts } = controller;
        const { executed, phase, attempts } = facts ?? {};
        tell('error', controller, [
          told(error),
          { executed, phase, attempts },
          facts?.times.firstByte === null,
        ]);
      },
    };
    const tell = (callback: string, controller: DispatchController, more?: unknown): void => {
      all.push([callback, more]);
      at(callback, controller);
    };
    const onAbort: DispatchRequest['onAbort'] = (facts) => {
      all.push(['onAbort', facts.executed, facts.phase, facts.attempts]);
    };
    php.dispatch({ params: GET, onAbort, ...request }, handler);
    all.push('dispatch() has returned');
  });
}

const mine = new Error('mine');

describe('of a request that is given up', () => {
  const callbacks = ['start', 'head', 'data', 'end', 'error'];
  const ways: Record<string, (controller: DispatchController, signal: AbortController) => void> = {
    'abort()': (controller) => controller.abort(mine),
    'abort() with an error of ours': (controller) =>
      controller.abort(new FcgiError('FCGI_ERR_TIMEOUT', 'not in time')),
    'its signal': (_controller, signal) => signal.abort(mine),
    'its signal with an error of ours': (_controller, signal) =>
      signal.abort(new FcgiError('FCGI_ERR_TIMEOUT', 'not in time')),
    'an error that is thrown': () => {
      throw mine;
    },
  };
  it.each(callbacks.flatMap((callback) => Object.keys(ways).map((way) => [callback, way])))(
    'in %s by %s',
    async (callback = '', way = '') => {
      const [ofPool, ofMock] = await byBoth({ body: 'abc' }, (php) => {
        const signal = new AbortController();
        return events(php, { signal: signal.signal }, (called, controller) => {
          if (called === callback) ways[way]?.(controller, signal);
        });
      });
      expect(ofMock).toEqual(ofPool);
    },
  );

  it.each<[string, Partial<DispatchRequest>, Page]>([
    ['before it is given', { signal: AbortSignal.abort(mine) }, {}],
    [
      'by what onStderr throws',
      {
        onStderr: () => {
          throw mine;
        },
      },
      { stderr: 'x', body: 'abc' },
    ],
    ['without a method', { params: { SCRIPT_FILENAME: '/a.php' } }, {}],
  ])('%s', async (_, request, page) => {
    const [ofPool, ofMock] = await byBoth(page, (php) => events(php, request, () => {}));
    expect(ofMock).toEqual(ofPool);
  });

  it.each(['destroy', 'close'] as const)('by %s(), and what comes after it', async (method) => {
    const script = gate();
    const [ofPool, ofMock] = await byBoth({ held: script.opened }, async (php) => {
      const running = events(php, {}, () => {});
      const over = php[method]();
      const late = events(php, {}, () => {});
      script.open();
      await over;
      return [await running, await late];
    });
    // Each says how far it had come: a socket takes longer than no socket.
    const withoutPhase = (all: unknown): unknown =>
      JSON.parse(JSON.stringify(all, (key, value) => (key === 'phase' ? undefined : value)));
    expect(withoutPhase(ofMock)).toEqual(withoutPhase(ofPool));
  });
});

it('destroy() tells each request what was seen of its own: one that runs may have run', async () => {
  const php = new MockDispatcher(() => new Promise(() => {}));
  const running = [1, 2].map(() => php.request({ params: GET }).catch((error: unknown) => error));
  while (php.requests.length < 2) await Promise.resolve();
  await php.destroy();
  const [one, two] = await Promise.all(running);
  expect([one, two]).toMatchObject([{ executed: 'unknown' }, { executed: 'unknown' }]);
  expect(one).not.toBe(two);
});

it('a request that was paused before it was answered is told nothing until it goes on', async () => {
  const heard: string[] = [];
  const php = new MockDispatcher({ body: 'abc' });
  const paused: DispatchController[] = [];
  const all = events(php, {}, (callback, controller) => {
    heard.push(callback);
    if (callback !== 'start') return;
    controller.pause();
    paused.push(controller);
  });
  while (php.requests.length === 0) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(['start']);
  for (const controller of paused) controller.resume();
  await all;
  expect(heard).toEqual(['start', 'head', 'data', 'end']);
});

describe('an answer that no Pool could give is refused by its name', () => {
  it.each<[string, object, string]>([
    ['a number', { 'Content-Length': 3 }, 'headers.Content-Length'],
    ['a list with a number', { 'Set-Cookie': ['a=1', 2] }, 'headers.Set-Cookie'],
    ['null', { 'X-A': null }, 'headers.X-A'],
    ['two lines', { 'X-A': 'a\r\nX-B: b' }, 'headers.X-A'],
    ['a char that is no byte', { 'X-A': '\u20ac' }, 'headers.X-A'],
    ['a name that is none', { 'X A': 'a' }, 'headers'],
    ['Status', { Status: '404 Not Found' }, 'headers.Status'],
  ])('%s', async (_, headers, option) => {
    const php = new MockDispatcher({ headers: headers as Record<string, string> });
    await expect(php.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
    });
  });

  it('but a header that is undefined is left out, as a param is', async () => {
    const php = new MockDispatcher({ headers: { 'X-A': undefined, 'X-B': 'b' } });
    expect((await php.request({ params: GET })).rawHeaders).toEqual(['X-B', 'b']);
  });
});

it.each(['onResponseStart', 'onResponseData', 'onResponseEnd', 'onRequestStart'])(
  'a handler whose %s cannot be called is told so by both',
  async (name) => {
    const [ofPool, ofMock] = await byBoth({}, (php) => {
      return new Promise((resolve) => {
        const handler = {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd: () => resolve('answered'),
          onResponseError: (_controller: unknown, error: unknown) => resolve(told(error)),
          [name]: 'none',
        };
        php.dispatch({ params: GET }, handler as unknown as DispatchHandler);
      });
    });
    expect(ofPool).toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', message: expect.stringContaining(name) });
    expect(ofMock).toEqual(ofPool);
  },
);

it.each(['close', 'destroy'] as const)('%s() refuses a callback, as that of a Pool does', (method) => {
  const php = new MockDispatcher();
  const called = (): unknown => php[method]((() => {}) as unknown as undefined);
  expect(called).toThrow(expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: 'callback' }));
});

describe('of pause()', () => {
  const pausedAt = (at: string, body: string): Promise<[unknown, unknown]> =>
    byBoth({ body }, async (php) => {
      const heard: string[] = [];
      await events(php, {}, (callback, controller) => {
        heard.push(callback, String(controller.paused));
        if (callback === at) controller.pause();
        // A reader who would go on only now is too late, if it has ended by then.
        setImmediate(() => setImmediate(() => controller.resume()));
      });
      return heard;
    });
  it.each(['start', 'head', 'data'])('at %s: a short page that is here comes with its end', async (at) => {
    const [ofPool, ofMock] = await pausedAt(at, 'abc');
    expect(ofMock).toEqual(ofPool);
  });
});

it('a stream whose source fails gives its request up', async () => {
  const [ofPool, ofMock] = await byBoth({}, async (php) => {
    const heard: unknown[] = [];
    const body = Readable.from(
      (async function* () {
        yield 'a';
        throw new Error('no more');
      })(),
    );
    await events(php, { body, params: { ...GET, REQUEST_METHOD: 'POST' } }, (callback, { aborted }) => {
      heard.push(callback, aborted);
    });
    return heard;
  });
  expect(ofPool).toEqual(['start', false, 'error', true]);
  expect(ofMock).toEqual(ofPool);
});

it('what is given up behind its STDERR says what that was', async () => {
  const [ofPool, ofMock] = await byBoth({ stderr: 'PHP message: oh', body: 'abc' }, async (php) => {
    const heard: unknown[] = [];
    await events(php, { onAbort: ({ stderr }) => heard.push(stderr) }, (callback, controller) => {
      if (callback === 'head') controller.abort(new Error('not wanted'));
    });
    return heard;
  });
  expect(ofPool).toEqual(['PHP message: oh']);
  expect(ofMock).toEqual(ofPool);
});

describe('of a body', () => {
  const ways: [string, (response: FcgiResponse) => Promise<unknown>][] = [
    [
      'that is left early is given up',
      async ({ body, ended }) => {
        for await (const _ of body) break;
        return ended.then(
          () => 'ended',
          (error) => String(error),
        );
      },
    ],
    [
      'that was paused is read whole',
      async ({ body }) => {
        body.pause();
        return (await body.text()).length;
      },
    ],
    [
      'that its reader destroys tells those who listen',
      async ({ body }) => {
        const heard: string[] = [String(body.listenerCount('error'))];
        const closed = new Promise((resolve) => body.once('close', resolve));
        body.once('error', (error) => heard.push(error.message));
        body.destroy(new Error('not wanted'));
        await closed;
        return heard;
      },
    ],
  ];
  it.each(ways)('%s', async (_, use) => {
    const [ofPool, ofMock] = await byBoth({ body: LONG }, async (php) =>
      use(await php.request({ params: GET })),
    );
    expect(ofMock).toEqual(ofPool);
  });
});

describe('an error says of a body whether it could be sent once more', () => {
  const POST = { ...GET, REQUEST_METHOD: 'POST' };
  const stream = (pieces: number): Readable =>
    Readable.from(Array.from({ length: pieces }, () => Buffer.alloc(65_536)));
  const declared = (pieces: number): Record<string, string> => ({ CONTENT_LENGTH: `${pieces * 65_536}` });
  it.each<[string, boolean, () => Partial<DispatchRequest>]>([
    ['bytes', true, () => ({ params: POST, body: 'abc' })],
    ['none', true, () => ({ params: POST })],
    ['a short stream', true, () => ({ params: POST, body: stream(2) })],
    [
      'a short stream, with its length',
      true,
      () => ({ params: { ...POST, ...declared(2) }, body: stream(2) }),
    ],
    [
      'one of a PUT',
      true,
      () => ({ params: { ...POST, ...declared(2), REQUEST_METHOD: 'PUT' }, body: stream(2) }),
    ],
    ['one over `replayBuffer`', false, () => ({ params: { ...POST, ...declared(20) }, body: stream(20) })],
    ['the same without its length', false, () => ({ params: POST, body: stream(20) })],
    ['what is none', false, () => ({ params: POST, body: 5 as never })],
    [
      'a stream, in a request that is refused',
      false,
      () => ({ params: POST, body: stream(2), retry: 'x' as never }),
    ],
  ])('%s: %s', async (_, replayable, request) => {
    const script = gate();
    const [ofPool, ofMock] = await byBoth({ held: script.opened }, async (php) => {
      const failed = php.request({ params: GET, headersTimeout: 20, ...request() });
      const error: unknown = await failed.catch((reason: unknown) => reason);
      return error instanceof FcgiError ? [error.code, error.executed, error.replayable] : error;
    });
    script.open();
    expect([ofMock, replayable]).toEqual([ofPool, (ofPool as unknown[])[2]]);
  });
});

it('the time to the first byte is that in which it was answered', async () => {
  const script = gate();
  const php = new MockDispatcher(async () => {
    await script.opened;
    return { body: 'abc' };
  });
  const answer = php.request({ params: GET });
  const given = performance.now();
  while (php.requests.length === 0) await Promise.resolve();
  const waited = performance.now() - given;
  script.open();
  const { times } = await (await answer).ended;
  expect(waited).toBeGreaterThan(0);
  expect(times.firstByte).toBeGreaterThanOrEqual(waited);
  expect(times.total).toBeGreaterThanOrEqual(times.firstByte ?? Number.POSITIVE_INFINITY);
});
