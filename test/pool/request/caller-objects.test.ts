/** What becomes of the objects that a caller hands over: params, signals, bodies. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CHANNELS } from '../../../src/connection/channels.ts';
import type { FcgiError } from '../../../src/errors.ts';
import type { Dispatcher, DispatchRequest } from '../../../src/pool/dispatcher.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { type FakeFpm, startFakeFpm } from '../../../src/testing/index.ts';
import { Upstream } from '../../../src/upstream/upstream.ts';
import { tempDir } from '../../fpm/support/temp.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { openFiles } from '../../gateway/open-files.ts';
import { STDIN } from '../../testing/support/wire.ts';
import { answer, GET, gate, HEAD, POST, PUT, rawServer, text } from '../support.ts';

/** Answers with what PHP would see. */
const echo = (options: { maxRequests?: number } = {}): Promise<FakeFpm> =>
  startFakeFpm({
    workers: 1,
    ...options,
    script: async (request, response) => {
      await response.stdout(`${HEAD}${JSON.stringify([request.params, await request.text()])}`);
    },
  });

// No connection is given back in between, however slow the machine is.
const kept = { connections: 1, keepaliveTime: 0, keepaliveTimeout: 60_000 };
const dispatchers: [string, (fpm: FakeFpm) => Dispatcher][] = [
  ['Pool', (fpm) => new Pool(fpm.address, kept)],
  ['Upstream', (fpm) => new Upstream([fpm.address], { ...kept, backend: 'php-fpm' })],
];

describe('what a request has from its class, or from an object that it was made of,', () => {
  class OfThisServer implements DispatchRequest {
    readonly params = GET;
    readonly #server: string;
    constructor(server: string) {
      this.#server = server;
    }
    get server(): string {
      return this.#server;
    }
    get headersTimeout(): number {
      return 80;
    }
  }
  const made = (server: string): DispatchRequest =>
    Object.assign(Object.create({ server, headersTimeout: 80 }), { params: GET });

  it.each([
    ['its class', (server: string): DispatchRequest => new OfThisServer(server), false],
    ['an object', made, false],
    ['its class, with a subscriber', (server: string): DispatchRequest => new OfThisServer(server), true],
    ['an object, with a subscriber', made, true],
  ])('counts as its own: %s', async (_, requestFor, subscribed) => {
    const subscriber = (): void => {};
    if (subscribed) subscribe(CHANNELS.retry, subscriber);
    try {
      await using hangs = await startFakeFpm({ script: (_request, response) => response.hang() });
      await using other = await startFakeFpm();
      await using pool = new Upstream([hangs.address, other.address]);
      for (let i = 0; i < 3; i++) expect(await text(pool, requestFor(other.address))).toBe('ok');
      await expect(pool.request(requestFor(hangs.address))).rejects.toMatchObject({
        code: 'FCGI_ERR_HEADERS_TIMEOUT',
        server: hangs.address,
      });
    } finally {
      unsubscribe(CHANNELS.retry, subscriber);
    }
  });
});

describe.each(dispatchers)('%s: params that change after the call', (_, open) => {
  it.each([
    ['on a fresh connection', 0, 1],
    ['on a kept one', 3, 1],
    ['while the request waits', 3, 6],
  ])('%s: what is sent are the values of the call', async (_name, before, together) => {
    await using fpm = await echo();
    await using pool = open(fpm);
    for (let i = 0; i < before; i++) await text(pool, { params: GET });
    const answers = Array.from({ length: together }, async (_unused, i) => {
      const params: Record<string, string> = { ...POST, WHICH: `${i}`, GONE: 'here' };
      const request: Record<string, unknown> = { params, body: `body ${i}` };
      const answer = text(pool, request as unknown as DispatchRequest);
      params['WHICH'] = 'changed';
      params['ADDED'] = '1';
      delete params['GONE'];
      request['params'] = { ...PUT };
      const [seen, body] = JSON.parse(await answer);
      return { method: seen.REQUEST_METHOD, which: seen.WHICH, gone: seen.GONE, added: seen.ADDED, body };
    });
    expect(await Promise.all(answers)).toEqual(
      Array.from({ length: together }, (_unused, i) => ({
        method: 'POST',
        which: `${i}`,
        gone: 'here',
        added: undefined,
        body: `body ${i}`,
      })),
    );
  });

  it('and the request is sent again: byte for byte as the first time', async () => {
    await using fpm = await echo({ maxRequests: 2 });
    await using pool = open(fpm);
    const answers: unknown[] = [];
    // A FIN that comes together with the answer costs no retry, nor does one that comes while the worker is asked whether it is back.
    for (let i = 0; i < 6 || (pool.stats.retried === 0 && i < 500); i++) {
      const params: Record<string, string | Uint8Array> = {
        ...POST,
        WHICH: `Größe ${i}`,
        LONG: 'x'.repeat(70_000 - 10_000),
        RAW: Buffer.from([0xe9, 0xff, 0x20]),
        EMPTY: '',
      };
      const answer = text(pool, { params, body: `body ${i}` });
      params['WHICH'] = 'changed';
      params['REQUEST_METHOD'] = 'GET';
      answers.push(JSON.parse(await answer));
    }
    expect(pool.stats.retried).toBeGreaterThan(0);
    for (const [i, { rawParams, ...request }] of fpm.requests.entries()) {
      expect(request.params).toMatchObject({
        REQUEST_METHOD: 'POST',
        WHICH: `Größe ${i}`,
        CONTENT_LENGTH: String(`body ${i}`.length),
        EMPTY: '',
      });
      expect(rawParams.get('RAW')).toEqual(Buffer.from([0xe9, 0xff, 0x20]));
      expect(rawParams.get('LONG')?.length).toBe(60_000);
      expect(rawParams.size).toBe(7);
    }
    expect(answers.length).toBe(fpm.requests.length);
  });
});

it('params of a request that is sent again are its own, although others have been answered meanwhile', async () => {
  const arrived = gate();
  const held: Socket[] = [];
  await using server = await rawServer((socket) => {
    socket.on('data', (bytes) => {
      const which = /WHICH([a-z]+)/.exec(bytes.toString('latin1'))?.[1];
      if (which === 'held' && held.length === 0) {
        held.push(socket);
        arrived.open();
        return;
      }
      // The empty STDIN of the request before it may come first, or alone.
      if (which === undefined) return;
      const begin = bytes[1] === STDIN ? 8 : 0;
      socket.write(answer(which, bytes.readUInt16BE(begin + 2)));
    });
  });
  await using pool = new Pool(server.address, { backend: 'php-fpm' });
  const get = (which: string): Promise<string> => text(pool, { params: { ...GET, WHICH: which } });
  expect(await get('first')).toBe('first');
  const again = pool.request({ params: { ...GET, WHICH: 'held' } });
  await arrived.opened;
  for (const which of ['one', 'two', 'three']) expect(await get(which)).toBe(which);
  // A worker at pm.max_requests does so: it reads no more, and waits for the close.
  held[0]?.end();
  const response = await again;
  expect(await response.body.text()).toBe('held');
  expect(await response.ended).toMatchObject({ attempts: 2 });
});

describe('a signal that many requests share', () => {
  it.each(dispatchers)('%s: no warning of a leak, and nothing stays behind', async (_, open) => {
    const warnings: unknown[] = [];
    const note = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', note);
    try {
      const answer = gate();
      await using fpm = await startFakeFpm({ workers: 1, onRequest: () => answer.opened });
      await using pool = open(fpm);
      const counting = new CountingSignal();
      const all = Array.from({ length: 40 }, () => text(pool, { params: GET, signal: counting.signal }));
      expect(counting.listeners).toBe(1);
      answer.open();
      expect(await Promise.all(all)).toEqual(all.map(() => 'ok'));
      expect(counting.listeners).toBe(0);
      const { signal } = new AbortController();
      await Promise.all(Array.from({ length: 40 }, () => text(pool, { params: GET, signal })));
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', note);
    }
    expect(warnings).toEqual([]);
  });

  it('an Upstream of twelve servers has one listener as well', async () => {
    await using fpm = await startFakeFpm({ workers: 24 });
    await using pool = new Upstream(Array.from({ length: 12 }, () => fpm.address));
    const counting = new CountingSignal();
    const all = Array.from({ length: 24 }, () => text(pool, { params: GET, signal: counting.signal }));
    expect(counting.listeners).toBe(1);
    await Promise.all(all);
    expect(counting.listeners).toBe(0);
  });

  it('ends them all with its reason, those that wait too, and only those', async () => {
    await using fpm = await startFakeFpm({ workers: 2, script: (_request, response) => response.hang() });
    const pool = new Pool(fpm.address, { connections: 2 });
    const other = pool.request({ params: GET }).catch((error: FcgiError) => error.code);
    const abort = new AbortController();
    const all = Array.from({ length: 20 }, () =>
      pool.request({ params: GET, signal: abort.signal }).catch((error: unknown) => error),
    );
    await fpm.executed(2);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await Promise.all(all)).toEqual(all.map(() => reason));
    expect(pool.stats.queued).toBe(0);
    await pool.destroy();
    expect(await other).toBe('FCGI_ERR_DESTROYED');
  });

  it('that is aborted already: nothing is dialled, and nothing listens to it', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const counting = new CountingSignal();
    counting.abort('never mind');
    await expect(pool.request({ params: GET, signal: counting.signal })).rejects.toBe('never mind');
    expect(counting.listeners).toBe(0);
    expect(fpm.accepted).toBe(0);
  });
});

/** Counts who listens. */
class CountingSignal {
  listeners = 0;
  readonly signal: AbortSignal;
  readonly #controller: AbortController = new AbortController();

  constructor() {
    const { signal } = this.#controller;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
      this.listeners++;
      addEventListener.apply(signal, given);
    };
    signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
      this.listeners--;
      removeEventListener.apply(signal, given);
    };
    this.signal = signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

describe('a stream as the body', () => {
  const params = { ...POST, CONTENT_LENGTH: '10' };

  /** Fails the test where something was thrown that nobody caught. */
  async function quietly(work: () => Promise<void>): Promise<void> {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
    try {
      await work();
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('uncaughtException', note);
      process.off('unhandledRejection', note);
    }
    expect(uncaught).toEqual([]);
  }

  it.each<[string, Partial<DispatchRequest>]>([
    ['with CONTENT_LENGTH', { params }],
    ['without', { params: POST }],
  ])('of a file that is not there, %s: the request fails with that', async (_, request) => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    await quietly(async () => {
      const body = createReadStream('/nowhere/upload');
      await expect(pool.request({ params, ...request, body })).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });

  it('of a file that is not there, while the request waits: it fails at once, and leaves the queue', async () => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    const pool = new Pool(fpm.address, { connections: 1 });
    await quietly(async () => {
      const running = pool.request({ params: GET }).catch((error: unknown) => error);
      await fpm.executed(1);
      const body = createReadStream('/nowhere/upload');
      await expect(pool.request({ params, body })).rejects.toMatchObject({ code: 'ENOENT' });
      expect(pool.stats.queued).toBe(0);
      await pool.destroy();
      await running;
    });
  });

  const closed = async (): Promise<Pool> => {
    const pool = new Pool('unix:/nowhere/fpm.sock');
    await pool.close();
    return pool;
  };
  const open = async (): Promise<Pool> => new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 20 });

  it.each<[string, () => Promise<Pool>, Partial<DispatchRequest>, string]>([
    ['by a closed pool', closed, {}, 'FCGI_ERR_CLOSED'],
    ['for another argument', open, { retry: 'x' as 'never' }, 'FCGI_ERR_INVALID_ARG'],
    ['for its CONTENT_LENGTH', open, { params: { ...POST, CONTENT_LENGTH: 'x' } }, 'FCGI_ERR_INVALID_ARG'],
    ['for a param', open, { params: { ...params, BAD: 'a\0' } }, 'FCGI_ERR_INVALID_ARG'],
    ['as its signal is aborted', open, { signal: AbortSignal.abort() }, ''],
    ['as nobody listens there', open, {}, 'FCGI_ERR_CONNECT_TIMEOUT'],
  ])('that is refused %s is destroyed, and keeps no descriptor', async (_, pool, request, code) => {
    const folder = tempDir('body-');
    const path = join(folder.path, 'upload');
    writeFileSync(path, '0123456789');
    await quietly(async () => {
      await using dispatcher = await pool();
      const body = createReadStream(path);
      await once(body, 'open');
      const error = await dispatcher.request({ params, body, ...request }).catch((reason: unknown) => reason);
      if (code !== '') expect(error).toMatchObject({ code });
      expect(body.destroyed).toBe(true);
      await waitFor(() => openFiles(path) === 0);
      // One that is still being opened, and one that is not there.
      const opening = createReadStream(path);
      await dispatcher.request({ params, body: opening, ...request }).catch(() => undefined);
      await waitFor(() => opening.closed && openFiles(path) === 0);
      await dispatcher
        .request({ params, body: createReadStream('/nowhere'), ...request })
        .catch(() => undefined);
    });
    folder.remove();
  });

  it('that is refused: a web stream is cancelled', async () => {
    const pool = await closed();
    const reasons: unknown[] = [];
    const body = new ReadableStream<Uint8Array>({ cancel: (reason) => void reasons.push(reason) });
    await expect(pool.request({ params, body })).rejects.toMatchObject({ code: 'FCGI_ERR_CLOSED' });
    expect(reasons).toHaveLength(1);
  });

  it('that is being sent as the request ends is destroyed, also where it gives no more', async () => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const body = new PassThrough();
    body.write('01234');
    const abort = new AbortController();
    const answer = pool.request({ params: { ...PUT, CONTENT_LENGTH: '10' }, body, signal: abort.signal });
    await fpm.executed(1);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(body.destroyed).toBe(true);
  });

  it.each([
    ['before a byte of it is sent', '', 0],
    ['as it is being sent', '01234', 1],
  ])('that is a web stream is cancelled, also where it gives no more: %s', async (_, first, ran) => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    let cancelled = 0;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (first !== '') controller.enqueue(Buffer.from(first));
      },
      // As a fetch() whose server has fallen silent.
      pull: () => new Promise(() => undefined),
      cancel: () => void cancelled++,
    });
    const abort = new AbortController();
    const answer = pool.request({ params: { ...PUT, CONTENT_LENGTH: '10' }, body, signal: abort.signal });
    await (ran === 0 ? waitFor(() => body.locked) : fpm.executed(1));
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(cancelled).toBe(1);
    expect(body.locked).toBe(false);
  });

  it('that fails half way fails the request with its error, and the pool goes on', async () => {
    await using fpm = await startFakeFpm({
      // It reads first: an answer that was there before the source failed would be an answer.
      script: async (request, response) => {
        await request.text();
        await response.stdout(`${HEAD}ok`);
      },
    });
    await using pool = new Pool(fpm.address, { connections: 1 });
    const oops = new Error('oops');
    await quietly(async () => {
      const body = new Readable({ read: () => undefined });
      body.push('01234');
      const answer = pool.request({ params: { ...params, REQUEST_METHOD: 'PUT' }, body });
      await waitFor(() => pool.stats.busy === 1);
      body.destroy(oops);
      await expect(answer).rejects.toBe(oops);
      expect(await text(pool, { params: GET })).toBe('ok');
    });
  });

  it('that is an HTTP request is left to its server, which can still answer', async () => {
    const folder = tempDir('http-');
    mkdirSync(folder.path, { recursive: true });
    const pool = await closed();
    const server = createServer((req, res) => {
      pool.request({ params, body: req }).catch((error: FcgiError) => {
        res.statusCode = 503;
        res.end(error.code);
      });
    });
    server.listen(join(folder.path, 's'));
    await once(server, 'listening');
    const client = httpRequest({ socketPath: join(folder.path, 's'), method: 'POST', agent: false });
    client.end('0123456789');
    const [response]: [IncomingMessage] = (await once(client, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(503);
    expect(Buffer.concat(await response.toArray()).toString()).toBe('FCGI_ERR_CLOSED');
    await new Promise((resolve) => server.close(resolve));
    folder.remove();
  });

  it.each<[string, () => AsyncIterable<string>]>([
    [
      'whose iterator has a return() that throws',
      () =>
        iterableWith(() => {
          throw new Error('return() failed');
        }),
    ],
    ['whose return() rejects', () => iterableWith(() => Promise.reject(new Error('return() failed')))],
    ['whose return() gives no promise', () => iterableWith(() => undefined as never)],
    ['whose return is no function', () => iterableWith(5 as never)],
  ])('%s: the request ends all the same', async (_, body) => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, { connections: 1 });
    await quietly(async () => {
      await expect(
        pool.request({ params: { ...POST, CONTENT_LENGTH: '1' }, body: body() }),
      ).rejects.toMatchObject({
        code: 'FCGI_ERR_BODY_LENGTH',
      });
      await expect(pool.request({ params: POST, body: body() })).rejects.toMatchObject({
        code: 'FCGI_ERR_BODY_LENGTH_REQUIRED',
      });
      expect(await text(pool, { params: GET })).toBe('ok');
      await waitFor(() => pool.stats.busy === 0);
    });
  });
});

describe('bytes whose memory is resized or transferred after the call', () => {
  const LENGTHS = [10, 50_000, 300_000];
  const taken: [string, number, (body: Uint8Array) => void][] = LENGTHS.flatMap((length) => [
    ['transferred', length, (body) => void structuredClone(body, { transfer: [body.buffer as ArrayBuffer] })],
    ['resized', length, (body) => (body.buffer as unknown as { resize(length: number): void }).resize(5)],
  ]);
  const bytes = (length: number): Uint8Array => {
    // Of a newer JavaScript than the types know.
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    return new Uint8Array(new Resizable(length, { maxByteLength: 2 * length })).fill(97);
  };

  it.each(taken)(
    '%s, %i of them: the request is answered as it was, or fails at once, and nobody waits',
    async (_, length, take) => {
      await using fpm = await echo();
      await using pool = new Pool(fpm.address, { connections: 1 });
      // While it is dialled for, on a kept connection, and while it waits.
      for (const before of [0, 0, 1]) {
        const others = Array.from({ length: before }, () => text(pool, { params: GET }));
        const body = bytes(length);
        const answer = text(pool, { params: POST, body }).catch((error: unknown) => error);
        take(body);
        const got = await answer;
        if (typeof got === 'string') expect(JSON.parse(got)[1]).toBe('a'.repeat(length));
        else expect(got).toMatchObject({ code: 'FCGI_ERR_BODY_LENGTH', option: 'body' });
        await Promise.all(others);
      }
      expect(await text(pool, { params: GET })).toContain('GET');
    },
  );

  it.each(LENGTHS)('larger, %i of them: what was given is sent', async (length) => {
    await using fpm = await echo();
    await using pool = new Pool(fpm.address, { connections: 1 });
    for (let i = 0; i < 2; i++) {
      const body = bytes(length);
      const answer = text(pool, { params: POST, body });
      (body.buffer as unknown as { resize(length: number): void }).resize(2 * length);
      expect(JSON.parse(await answer)[1]).toBe('a'.repeat(length));
    }
  });
});

/** Never ends by itself. */
function iterableWith(end: () => Promise<IteratorResult<string>>): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 'abc' }), return: end }),
  };
}
