import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { DispatchController, Dispatcher, DispatchRequest, FcgiError } from '../../src/index.ts';
import {
  type MockController,
  MockDispatcher,
  type MockEnded,
  type MockHandler,
  type MockHeaders,
} from '../../src/testing/index.ts';
import { gate } from './support/gate.ts';

const get: DispatchRequest = { params: { REQUEST_METHOD: 'GET' } };

/** Keeps what it is told, in order. */
class Handler implements MockHandler {
  readonly told: unknown[] = [];
  controller: MockController | null = null;
  readonly over: Promise<void>;
  #settle = (): void => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  onRequestStart(controller: MockController): void {
    this.controller = controller;
    this.told.push('request');
  }

  onResponseStart(_: MockController, statusCode: number, _headers: MockHeaders, statusText: string): void {
    this.told.push([statusCode, statusText]);
  }

  onResponseData(_: MockController, chunk: Buffer): void {
    this.told.push(chunk.toString());
  }

  onResponseEnd(_: MockController, { appStatus, stderr }: MockEnded): void {
    this.told.push({ appStatus, stderr });
    this.#settle();
  }

  onResponseError(_: MockController, error: unknown): void {
    this.told.push(error);
    this.#settle();
  }
}

describe('MockDispatcher', () => {
  it('can be given wherever a Dispatcher is wanted', async () => {
    // The proof is that this compiles.
    const php: Dispatcher = new MockDispatcher({ body: 'hello' });
    const response = await php.request(get);
    expect([response.statusCode, await response.body.text()]).toEqual([200, 'hello']);
    await expect(response.ended).resolves.toEqual({
      appStatus: 0,
      reused: false,
      attempts: 1,
      server: 'mock',
      times: { queued: 0, connecting: 0, firstByte: expect.any(Number), total: expect.any(Number) },
      executed: 'yes',
      stderr: '',
      hint: '',
    });
    expect(php.stats).toMatchObject({ connected: 0, busy: 0, served: 1, retried: 0 });
  });

  it('answers with status, headers, body and STDERR, headers in lower case and set-cookie an array', async () => {
    const php = new MockDispatcher({
      statusCode: 404,
      statusText: 'Not Found',
      headers: { 'Content-Type': 'text/plain', 'Set-Cookie': 'a=1', Vary: ['x', 'y'] },
      body: ['no', Buffer.from(' such'), ' page'],
      stderr: 'PHP message: oops',
      appStatus: 3,
    });
    const heard: string[] = [];
    const { statusCode, statusText, headers, rawHeaders, body, ended } = await php.request({
      ...get,
      onStderr: (chunk) => heard.push(Buffer.from(chunk).toString()),
    });
    expect([statusCode, statusText]).toEqual([404, 'Not Found']);
    expect({ ...headers }).toEqual({
      'content-type': 'text/plain',
      'set-cookie': ['a=1'],
      vary: ['x', 'y'],
    });
    expect(rawHeaders).toEqual([
      ...['Content-Type', 'text/plain', 'Set-Cookie', 'a=1'],
      ...['Vary', 'x', 'Vary', 'y'],
    ]);
    expect(await body.text()).toBe('no such page');
    expect(await ended).toMatchObject({ appStatus: 3, stderr: 'PHP message: oops' });
    expect(heard).toEqual(['PHP message: oops']);
  });

  it("the raw headers go with the request, as a real one's do", async () => {
    const php = new MockDispatcher({ headers: { 'X-A': '1' }, body: 'ok' });
    const seen: (readonly string[])[] = [];
    const steering = await new Promise<DispatchController>((resolve, reject) => {
      php.dispatch(get, {
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd(controller) {
          seen.push(controller.rawHeaders);
          resolve(controller);
        },
        onResponseError: (_controller, error) => reject(error),
      });
    });
    expect(seen).toEqual([['X-A', '1']]);
    expect(steering.rawHeaders).toEqual([]);
  });

  it('keeps every request with its body read, whatever kind it was', async () => {
    const php = new MockDispatcher(({ params, text }) => ({ body: `${params['NAME']}: ${text}` }));
    const bodies = ['text', Buffer.from('bytes'), Readable.from(['a ', 'stream']), null, undefined];
    const answers: string[] = [];
    for (const body of bodies) {
      const response = await php.request({
        params: { REQUEST_METHOD: 'POST', NAME: Buffer.from('é') },
        body,
      });
      answers.push(await response.body.text());
    }
    expect(answers).toEqual(['é: text', 'é: bytes', 'é: a stream', 'é: ', 'é: ']);
    expect(php.requests.map(({ text }) => text)).toEqual(['text', 'bytes', 'a stream', '', '']);
    expect(php.requests[2]?.request.body).toBe(bodies[2]);
  });

  it('tells a handler all in order, and after dispatch() has returned', async () => {
    const php = new MockDispatcher({ statusCode: 201, statusText: 'Created', body: ['a', 'b'], stderr: 'e' });
    const handler = new Handler();
    php.dispatch(get, handler);
    expect(handler.told).toEqual(['request']);
    await handler.over;
    expect(handler.told).toEqual(['request', [201, 'Created'], 'a', 'b', { appStatus: 0, stderr: 'e' }]);
  });

  it('fails a request with the error it is given, before any response', async () => {
    const error = new Error('refused');
    await expect(new MockDispatcher({ error }).request(get)).rejects.toBe(error);
    const throwing = new MockDispatcher(() => {
      throw error;
    });
    await expect(throwing.request(get)).rejects.toBe(error);
    expect(throwing.stats).toMatchObject({ busy: 0, served: 0 });
  });

  it('cuts a response short where the error has a body before it', async () => {
    const error = new Error('reset');
    const response = await new MockDispatcher({ body: 'half', error }).request(get);
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of response.body) pieces.push(String(piece));
    })();
    await expect(reading).rejects.toBe(error);
    await expect(response.ended).rejects.toBe(error);
  });

  it('fails a request whose body fails, and one whose callback throws', async () => {
    const error = new Error('mine');
    const php = new MockDispatcher({ stderr: 'x' });
    const failing = Readable.from(
      (async function* () {
        yield 'a';
        throw error;
      })(),
    );
    await expect(php.request({ ...get, body: failing })).rejects.toBe(error);
    const onStderr = (): void => {
      throw error;
    };
    await expect(php.request({ ...get, onStderr })).rejects.toBe(error);
  });

  it.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const)(
    'tells onResponseError, and nobody else, what %s has thrown',
    async (name) => {
      const error = new Error('mine');
      const php = new MockDispatcher({ body: 'a' });
      const handler = new Handler();
      handler[name] = () => {
        throw error;
      };
      php.dispatch(get, handler);
      await handler.over;
      expect(handler.told.at(-1)).toBe(error);
      await php.close();
    },
  );

  it('survives what throws as it is told of an error, as a Pool does', async () => {
    const thrown = (): never => {
      throw new Error('mine');
    };
    const php = new MockDispatcher(() => new Promise(() => {}));
    const abort = new AbortController();
    const handlers = [0, 1, 2, 3].map(() => {
      const handler = new Handler();
      const { onResponseError } = handler;
      handler.onResponseError = (controller, error) => {
        onResponseError.call(handler, controller, error);
        thrown();
      };
      return handler;
    });
    const [byController, bySignal, byDestroy, refused] = handlers as [Handler, Handler, Handler, Handler];
    php.dispatch({ ...get, onAbort: thrown }, byController);
    expect(() => byController.controller?.abort()).not.toThrow();
    php.dispatch({ ...get, signal: abort.signal }, bySignal);
    php.dispatch(get, byDestroy);
    abort.abort();
    await php.destroy();
    php.dispatch(get, refused);
    await Promise.all(handlers.map(({ over }) => over));
  });

  it('says of a request that is given up how far it had come', async () => {
    const php = new MockDispatcher(({ params }) =>
      params['HANGS'] ? new Promise(() => {}) : { body: ['a', 'b'] },
    );
    const queued = new Handler();
    php.dispatch(get, queued);
    queued.controller?.abort();
    expect(queued.controller?.facts).toMatchObject({ executed: 'no', phase: 'queued' });
    const waiting = new Handler();
    php.dispatch({ params: { ...get.params, HANGS: '1' } }, waiting);
    while (php.requests.length === 0) await Promise.resolve();
    waiting.controller?.abort();
    expect(waiting.controller?.facts).toMatchObject({ executed: 'unknown', phase: 'waiting' });
    const answered = new Handler();
    answered.onResponseData = (controller) => controller.abort();
    php.dispatch(get, answered);
    await answered.over;
    expect(answered.controller?.facts).toMatchObject({ executed: 'yes', phase: 'body' });
  });

  it('destroys the stream of a body of which no more is wanted', async () => {
    const php = new MockDispatcher();
    const body = new Readable({ read: () => {} });
    const handler = new Handler();
    php.dispatch({ ...get, body }, handler);
    handler.controller?.abort();
    await handler.over;
    expect(body.destroyed).toBe(true);
    await php.close();
    const other = new Readable({ read: () => {} });
    await expect(php.request({ ...get, body: other })).rejects.toMatchObject({ code: 'FCGI_ERR_CLOSED' });
    expect(other.destroyed).toBe(true);
  });

  it('gives no data while paused', async () => {
    const php = new MockDispatcher({ body: ['a', 'b'] });
    const handler = new Handler();
    const { onResponseStart } = handler;
    handler.onResponseStart = (controller, ...head) => {
      onResponseStart.call(handler, controller, ...head);
      controller.pause();
    };
    php.dispatch(get, handler);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handler.told).toEqual(['request', [200, '']]);
    expect(handler.controller?.paused).toBe(true);
    handler.controller?.resume();
    await handler.over;
    expect(handler.told.slice(2)).toEqual(['a', 'b', { appStatus: 0, stderr: '' }]);
  });

  it('reads no further ahead of a slow reader than a stream does', async () => {
    let given = 0;
    const php = new MockDispatcher({
      body: (function* () {
        for (; given < 1000; given++) yield Buffer.alloc(65_536);
      })(),
    });
    const { body } = await php.request(get);
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBeLessThan(10);
    expect((await body.bytes()).length).toBe(1000 * 65_536);
  });

  it('is aborted by a signal at any time, and by the controller, once', async () => {
    const never = new MockDispatcher(() => new Promise(() => {}));
    const reason = new Error('enough');
    await expect(never.request({ ...get, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(never.requests).toEqual([]);

    const abort = new AbortController();
    const waiting = never.request({ ...get, signal: abort.signal });
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);

    const handler = new Handler();
    never.dispatch(get, handler);
    handler.controller?.abort(reason);
    handler.controller?.abort(new Error('again'));
    await handler.over;
    expect(handler.told).toEqual(['request', reason]);
    expect(handler.controller?.aborted).toBe(true);
    await never.close();
  });

  it('is aborted by a reader that destroys the body', async () => {
    const php = new MockDispatcher({ body: Readable.from(['a', 'b', 'c']) });
    const { body, ended } = await php.request(get);
    body.destroy();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    await php.close();
  });

  it('close() lets the running ones end and refuses others', async () => {
    const held = gate();
    const php = new MockDispatcher(async () => {
      await held.opened;
      return { body: 'late' };
    });
    const running = php.request(get);
    let closed = false;
    const closing = php.close().then(() => {
      closed = true;
    });
    await expect(php.request(get)).rejects.toMatchObject({
      code: 'FCGI_ERR_CLOSED' satisfies FcgiError['code'],
    });
    expect(closed).toBe(false);
    held.open();
    expect(await (await running).body.text()).toBe('late');
    await closing;
    await php.close();
  });

  it('destroy() fails the running ones and others', async () => {
    const php = new MockDispatcher(() => new Promise(() => {}));
    const running = php.request(get);
    await php.destroy();
    await expect(running).rejects.toMatchObject({ code: 'FCGI_ERR_DESTROYED' });
    await expect(php.request(get)).rejects.toMatchObject({ code: 'FCGI_ERR_CLOSED' });
    const reason = new Error('mine');
    const other = new MockDispatcher(() => new Promise(() => {}));
    const given = other.request(get);
    await other.destroy(reason);
    await expect(given).rejects.toBe(reason);
  });
});
