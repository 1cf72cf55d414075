/**
 * What those expect who know undici: the promises of its dispatch(), request(), close(), destroy() and signals, for the
 * names that both have. Where we differ on purpose, the test says so.
 */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { DispatchController, Dispatcher, ResponseBody } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { GET, gate, HEAD, POST, Recorder, text } from './support.ts';

const hanging = () => startFakeFpm({ workers: 4, script: (_request, response) => response.hang() });

describe('callbacks', () => {
  it('come in the order request, start, data, end, each of the outer ones once', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(`${HEAD}a`);
        await response.stdout('b');
      },
    });
    await using pool = new Pool(fpm.address);
    const recorder = new Recorder();
    pool.dispatch({ params: GET }, recorder);
    await recorder.over;
    expect(recorder.events.filter((event, i) => event !== recorder.events[i - 1])).toEqual([
      'request',
      'start 200',
      'data',
      'end',
    ]);
  });

  it('all get the same controller', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const seen = new Set<DispatchController>();
    const see = (controller: DispatchController): void => void seen.add(controller);
    await new Promise<void>((resolve) => {
      pool.dispatch(
        { params: GET },
        {
          onRequestStart: see,
          onResponseStart: see,
          onResponseData: see,
          onResponseEnd: (controller) => {
            see(controller);
            resolve();
          },
          onResponseError: (_, error) => expect.fail(String(error)),
        },
      );
    });
    expect(seen.size).toBe(1);
  });

  it('an abort in onRequestStart: nothing is sent, and onResponseError is told before dispatch() returns', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const reason = new Error('not now');
    const recorder = new Recorder();
    recorder.onRequestStart = (controller) => controller.abort(reason);
    pool.dispatch({ params: GET }, recorder);
    expect(recorder.events).toEqual(['error']);
    expect(recorder.error).toBe(reason);
    expect(fpm.accepted).toBe(0);
  });

  it.each(['onResponseStart', 'onResponseData'] as const)(
    'an abort in %s: no other callback but the error',
    async (name) => {
      await using fpm = await startFakeFpm({
        script: (_, response) => response.stdout(`${HEAD}${'x'.repeat(100_000)}`),
      });
      await using pool = new Pool(fpm.address);
      const recorder = new Recorder();
      recorder[name] = (controller: DispatchController) => {
        recorder.events.push(name);
        controller.abort();
      };
      pool.dispatch({ params: GET }, recorder);
      expect(await recorder.over).toMatchObject({ name: 'AbortError' });
      await text(pool, { params: GET });
      expect(recorder.events.slice(recorder.events.indexOf(name))).toEqual([name, 'error']);
    },
  );
});

describe('signals and abort()', () => {
  it('aborted twice, by both: told once, with the first reason', async () => {
    await using fpm = await hanging();
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const recorder = new Recorder();
    pool.dispatch({ params: GET, signal: abort.signal }, recorder);
    await fpm.executed(1);
    const [first, second] = [new Error('first'), new Error('second')];
    abort.abort(first);
    recorder.controller?.abort(second);
    abort.abort(second);
    expect(await recorder.over).toBe(first);
    expect(recorder.events).toEqual(['request', 'error']);
  });

  it('the signal of a timeout: its TimeoutError', async () => {
    await using fpm = await hanging();
    await using pool = new Pool(fpm.address);
    const rejects = expect(pool.request({ params: GET, signal: AbortSignal.timeout(20) })).rejects;
    await rejects.toMatchObject({ name: 'TimeoutError', code: DOMException.TIMEOUT_ERR });
  });

  it.each([undefined, null, 0, 'text'])('a reason that is no Error comes as it is: %j', async (reason) => {
    await using fpm = await hanging();
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const answer = pool.request({ params: GET, signal: abort.signal }).catch((error: unknown) => ({ error }));
    await fpm.executed(1);
    abort.abort(reason);
    // AbortController makes an AbortError where no reason is given.
    expect(await answer).toEqual({ error: reason === undefined ? abort.signal.reason : reason });
  });

  it('aborted when the response is whole but not read yet: the body is had all the same', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const { body, ended } = await pool.request({ params: GET, signal: abort.signal });
    await ended;
    abort.abort();
    expect(await body.text()).toBe('ok');
  });
});

describe('pause() and resume()', () => {
  it('paused in onRequestStart, before there is a connection: no data until it resumes', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const recorder = new Recorder();
    const { onRequestStart } = recorder;
    recorder.onRequestStart = (controller) => {
      onRequestStart.call(recorder, controller);
      controller.pause();
    };
    pool.dispatch({ params: GET }, recorder);
    await fpm.executed(1);
    expect(recorder.events).toEqual(['request']);
    expect(recorder.controller?.paused).toBe(true);
    recorder.controller?.resume();
    expect(await recorder.over).toBeNull();
    expect(Buffer.concat(recorder.chunks).toString()).toBe('ok');
  });

  it('may come twice, and after the end, and do nothing', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, { connections: 1 });
    const recorder = new Recorder();
    const { onResponseStart } = recorder;
    recorder.onResponseStart = (controller, statusCode) => {
      onResponseStart.call(recorder, controller, statusCode);
      controller.pause();
      controller.pause();
      controller.resume();
      controller.resume();
    };
    pool.dispatch({ params: GET }, recorder);
    expect(await recorder.over).toBeNull();
    recorder.controller?.pause();
    recorder.controller?.abort();
    expect(await text(pool, { params: GET })).toBe('ok');
    expect(recorder.events.filter((event) => event === 'error')).toEqual([]);
  });

  it('an abort while paused is told', async () => {
    await using fpm = await startFakeFpm({
      script: (_, response) => response.stdout(HEAD + 'x'.repeat(1_000_000)),
    });
    await using pool = new Pool(fpm.address);
    const paused = gate();
    const recorder = new Recorder();
    recorder.onResponseStart = (controller) => {
      controller.pause();
      paused.open();
    };
    pool.dispatch({ params: GET }, recorder);
    await paused.opened;
    const reason = new Error('enough');
    recorder.controller?.abort(reason);
    expect(await recorder.over).toBe(reason);
  });
});

describe('close() and destroy()', () => {
  it('close() twice, together, and once more: all resolve once all is over', async () => {
    const answer = gate();
    await using fpm = await startFakeFpm({ onRequest: () => answer.opened });
    const pool = new Pool(fpm.address);
    const order: string[] = [];
    const running = text(pool, { params: GET }).then(() => order.push('answered'));
    const closed = [pool.close(), pool.close()].map((one) => one.then(() => order.push('closed')));
    answer.open();
    await Promise.all([running, ...closed]);
    await pool.close();
    expect(order).toHaveLength(3);
    expect(pool.stats.connected).toBe(0);
  });

  it('destroy() twice, after close(), with null or nothing: resolves, and requests fail with FCGI_ERR_DESTROYED', async () => {
    await using fpm = await hanging();
    const pool = new Pool(fpm.address);
    const running = pool.request({ params: POST, body: 'x' }).catch((error: unknown) => error);
    await fpm.executed(1);
    const closed = pool.close();
    await pool.destroy(null as never);
    await pool.destroy();
    await closed;
    expect(await running).toMatchObject({ code: 'FCGI_ERR_DESTROYED' });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_CLOSED' });
  });

  it('in a callback: the pool ends', async () => {
    await using fpm = await startFakeFpm({
      script: (_, response) => response.stdout(HEAD + 'x'.repeat(1_000_000)),
    });
    const pool = new Pool(fpm.address);
    const recorder = new Recorder();
    const reason = new Error('all over');
    recorder.onResponseStart = () => void pool.destroy(reason);
    pool.dispatch({ params: GET }, recorder);
    expect(await recorder.over).toBe(reason);
    await pool.close();
    expect(pool.stats.connected).toBe(0);
  });

  it('a request out of onResponseError of one that was destroyed is refused, not lost', async () => {
    await using fpm = await hanging();
    const pool = new Pool(fpm.address);
    const next = gate();
    const recorder = new Recorder();
    let second: Promise<unknown> = Promise.resolve();
    recorder.onResponseError = () => {
      second = pool.request({ params: GET }).catch((error: unknown) => error);
      next.open();
    };
    pool.dispatch({ params: GET }, recorder);
    await fpm.executed(1);
    await pool.destroy();
    await next.opened;
    expect(await second).toMatchObject({ code: 'FCGI_ERR_CLOSED' });
  });
});

it.each<[string, (dispatcher: Dispatcher, callback: never) => unknown]>([
  [
    'request()',
    (dispatcher, callback) => Reflect.apply(dispatcher.request, dispatcher, [{ params: GET }, callback]),
  ],
  ['close()', (dispatcher, callback) => Reflect.apply(dispatcher.close, dispatcher, [callback])],
  ['destroy()', (dispatcher, callback) => dispatcher.destroy(callback)],
  [
    'destroy() behind a reason',
    (dispatcher, callback) => Reflect.apply(dispatcher.destroy, dispatcher, [new Error('x'), callback]),
  ],
])('a callback for %s, which would never be called, is an error at once', async (_, call) => {
  await using pool = new Pool('unix:/nowhere.sock');
  await using upstream = new Upstream(['unix:/nowhere.sock']);
  for (const dispatcher of [pool, upstream]) {
    expect(() => call(dispatcher, (() => {}) as never)).toThrow(
      expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: 'callback' }),
    );
  }
});

describe('the body of request()', () => {
  it('destroyed without an error: AbortError, the worker is free', async () => {
    await using fpm = await startFakeFpm({
      script: (_, response) => response.stdout(HEAD + 'x'.repeat(1_000_000)),
    });
    await using pool = new Pool(fpm.address);
    const { body, ended } = await pool.request({ params: GET });
    body.destroy();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    expect(pool.stats.busy).toBe(0);
  });

  it('of which text() was asked may not be asked for again, nor be read as a stream that has begun', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET });
    await body.text();
    await expect(body.json()).rejects.toThrow(TypeError);
    const other = await pool.request({ params: GET });
    for await (const chunk of other.body) expect(String(chunk)).toBe('ok');
    await expect(other.body.text()).rejects.toThrow(TypeError);
  });
});

describe.each([2, 1_000_000])('a body of %i bytes that is asked for in two ways', (size) => {
  const ask = async (use: (body: ResponseBody) => Promise<unknown>): Promise<unknown> => {
    await using fpm = await startFakeFpm({
      script: (_, response) => response.stdout(HEAD + 'x'.repeat(size)),
    });
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET });
    return await use(body);
  };
  const lengthOf = async (body: AsyncIterable<Buffer>): Promise<number> => {
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    return length;
  };

  it("on('data'), then text(): both have all of it", async () => {
    const [heard, whole] = (await ask(async (body) => {
      let bytes = 0;
      body.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      const { length } = await body.text();
      return [bytes, length];
    })) as number[];
    expect([heard, whole]).toEqual([size, size]);
  });

  it('pipe(), then bytes(): both have all of it', async () => {
    const [piped, whole] = (await ask(async (body) => {
      const piping = lengthOf(body.pipe(new PassThrough()));
      const { length } = await body.bytes();
      return [await piping, length];
    })) as number[];
    expect([piped, whole]).toEqual([size, size]);
  });

  it("on('readable'), then text(): TypeError, as somebody takes it away", async () => {
    const reading = ask(async (body) => {
      body.on('readable', () => {
        while (body.read() !== null);
      });
      return body.text();
    });
    await expect(reading).rejects.toThrow(TypeError);
  });

  it('text(), then as a stream: text() has all of it, and the stream ends', async () => {
    const seen = await ask(async (body) => {
      const whole = body.text();
      const streamed = lengthOf(body);
      return [(await whole).length, await streamed];
    });
    expect(seen).toEqual([size, 0]);
  });

  it('text(), then text() at once: the second is a TypeError, the first is not disturbed', async () => {
    const seen = await ask(async (body) => {
      const whole = body.text();
      await expect(body.text()).rejects.toThrow(TypeError);
      return (await whole).length;
    });
    expect(seen).toBe(size);
  });
});

it('a body that is cut short tells both who have asked for it', async () => {
  await using fpm = await startFakeFpm({
    script: async (_, response) => {
      await response.stdout(`${HEAD}x`);
      await response.reset();
    },
  });
  await using pool = new Pool(fpm.address);
  const { body } = await pool.request({ params: GET });
  const whole = expect(body.text()).rejects.toMatchObject({ code: expect.stringMatching(/^FCGI_ERR_/) });
  const streamed = expect(
    (async () => {
      for await (const _ of body);
    })(),
  ).rejects.toMatchObject({ code: expect.stringMatching(/^FCGI_ERR_/) });
  await Promise.all([whole, streamed]);
});

// undici takes these as well. Here a body is bytes, text or a stream: what else there is can be had as one of them.
it.each<[string, unknown]>([
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['a Uint16Array', new Uint16Array(1)],
  ['a Blob', new Blob(['x'])],
  ['a FormData', new FormData()],
  ['URLSearchParams', new URLSearchParams('a=1')],
  ['an array', ['a']],
  ['an iterator', ['a'].values()],
])('%s as the body is refused by name, before anything is sent', async (_, body) => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  await expect(pool.request({ params: POST, body: body as never })).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
    option: 'body',
    executed: 'no',
  });
  expect(fpm.accepted).toBe(0);
});

it.each([null, new EventEmitter()])('%s is no signal', async (signal) => {
  await using pool = new Pool('unix:/nowhere.sock');
  await expect(pool.request({ params: GET, signal: signal as never })).rejects.toMatchObject({
    option: 'signal',
  });
});
