import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { CHANNELS, FcgiError, Pool, type RequestMessage, Upstream } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/index.ts';
import { GET, gate, HEAD, Recorder, text } from '../pool/support.ts';
import { CONNECT, KEPT, listen, REQUEST } from './support.ts';

/** A second request in the very turn in which the first one ends, on a connection whose worker is just leaving. */
async function race(pool: Pool): Promise<Recorder> {
  const second = new Recorder();
  const first = new Recorder();
  first.onResponseEnd = () => pool.dispatch({ params: GET }, second);
  pool.dispatch({ params: GET }, first);
  await second.over;
  return second;
}

describe('the channels of a request', () => {
  it('tell of it from start to end, and of the connection that it opens', async () => {
    await using fpm = await startFakeFpm({ transport: 'tcp' });
    await using pool = new Pool(fpm.address);
    using heard = listen(...REQUEST, ...CONNECT, 'request:headers');
    expect(await text(pool, { params: GET })).toBe('ok');
    expect(heard.told.map(([name]) => name)).toEqual([
      'request:start',
      'request:end',
      'connect:start',
      'connect:end',
      'connect:asyncStart',
      'connect:asyncEnd',
      'request:headers',
      'request:asyncStart',
      'request:asyncEnd',
    ]);
    const [message] = heard.of('request:asyncEnd');
    expect(message).toMatchObject({
      serverAddress: '127.0.0.1',
      serverPort: Number(fpm.address.split(':')[1]),
      attempts: 1,
      reused: false,
      statusCode: 200,
      result: { executed: 'yes' },
    });
    for (const name of REQUEST.slice(0, 4)) expect(heard.of(name)).toEqual([message]);
    expect(heard.of('request:headers')[0]).toMatchObject({ request: message, statusCode: 200 });
    expect(heard.of('connect:start')[0]).toMatchObject({ request: message, serverAddress: '127.0.0.1' });
  });

  it('name a unix socket by its path', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, KEPT);
    using heard = listen('request:asyncEnd', 'connection:closed');
    await text(pool, { params: GET });
    await pool.close();
    const where = { serverAddress: fpm.address.slice('unix:'.length), serverPort: null };
    expect(heard.of('request:asyncEnd')[0]).toMatchObject(where);
    expect(heard.of('connection:closed')).toEqual([
      { ...where, reason: 'pool-closed', requests: 1, age: expect.any(Number) },
    ]);
    expect(heard.of('connection:closed')[0]?.['age']).toBeGreaterThanOrEqual(0);
  });

  it('tell of every socket that stats.closed counts, also of those that only ask what the server is', async () => {
    await using fpm = await startFakeFpm({ maxRequests: 2 });
    using heard = listen('connection:closed');
    const pool = new Pool(fpm.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 });
    // Whether one that meets a worker at its limit may be sent again depends on what the server is.
    for (let i = 0; i < 500 && pool.stats.closed.examined === 0; i++) await text(pool, { params: GET });
    await waitFor(() => pool.stats.closed.examined > 0);
    await pool.close();
    const told: Record<string, number> = {};
    for (const { reason } of heard.of('connection:closed'))
      told[String(reason)] = (told[String(reason)] ?? 0) + 1;
    const counted = Object.entries(pool.stats.closed).filter(([, count]) => count > 0);
    expect(told).toEqual(Object.fromEntries(counted));
    expect(heard.of('connection:closed').find(({ reason }) => reason === 'examined')).toMatchObject({
      serverAddress: fpm.address.slice('unix:'.length),
      requests: 0,
    });
  });

  it('let a listener of start add params: PHP sees them, the caller does not', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const add = (message: unknown): void => {
      (message as RequestMessage).params['HTTP_TRACEPARENT'] = '00-1-2-01';
    };
    const { start } = tracingChannel(CHANNELS.request);
    start.subscribe(add);
    const params = { ...GET };
    try {
      await text(pool, { params });
      await text(pool, { params: Object.freeze(params) });
    } finally {
      start.unsubscribe(add);
    }
    await text(pool, { params });
    expect(fpm.requests.map((one) => one.params['HTTP_TRACEPARENT'])).toEqual([
      '00-1-2-01',
      '00-1-2-01',
      undefined,
    ]);
    expect(params).toEqual(GET);
  });

  it('give the callbacks the store that a listener has bound to start, and leave others alone', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const bound = new AsyncLocalStorage<RequestMessage>();
    const own = new AsyncLocalStorage<string>();
    const { start } = tracingChannel<unknown, RequestMessage>(CHANNELS.request);
    start.bindStore(bound, (message) => message as RequestMessage);
    const seen: unknown[] = [];
    const recorder = new Recorder();
    recorder.onResponseStart = () => seen.push(bound.getStore()?.params['REQUEST_METHOD'], own.getStore());
    try {
      own.run('mine', () => pool.dispatch({ params: GET }, recorder));
      await recorder.over;
    } finally {
      start.unbindStore(bound);
    }
    expect(seen).toEqual(['GET', 'mine']);
    expect(bound.getStore()).toBeUndefined();
  });

  it('tell that a request waits, behind how many', async () => {
    const held = gate();
    await using fpm = await startFakeFpm({ onRequest: () => held.opened });
    await using pool = new Pool(fpm.address, { connections: 1 });
    using heard = listen('request:queued');
    const all = [1, 2, 3].map(() => text(pool, { params: GET }));
    expect(heard.of('request:queued').map(({ queued }) => queued)).toEqual([1, 2]);
    held.open();
    expect(await Promise.all(all)).toEqual(['ok', 'ok', 'ok']);
  });

  it('tell that a request is turned away, and how it failed', async () => {
    const held = gate();
    await using fpm = await startFakeFpm({ onRequest: () => held.opened });
    await using pool = new Pool(fpm.address, { connections: 1, queueSize: 0 });
    using heard = listen('request:refused', 'request:error', 'request:asyncEnd');
    const first = text(pool, { params: GET });
    await expect(text(pool, { params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_QUEUE_FULL' });
    expect(heard.told.map(([name]) => name)).toEqual([
      'request:refused',
      'request:error',
      'request:asyncEnd',
    ]);
    expect(heard.of('request:refused')[0]).toMatchObject({ code: 'FCGI_ERR_QUEUE_FULL', retryAfter: 1 });
    expect(heard.of('request:error')[0]).toMatchObject({ attempts: 0, facts: { executed: 'no' } });
    held.open();
    await first;
  });

  it('tell that a request is sent again, with what was seen, and that it ended well', async () => {
    await using fpm = await startFakeFpm({ maxRequests: 1, workers: 4 });
    await using pool = new Pool(fpm.address, KEPT);
    using heard = listen('request:retry', 'request:error', 'request:asyncEnd', 'connection:closed');
    const recorder = await race(pool);
    expect(recorder.ended?.attempts).toBe(2);
    const [, message] = heard.of('request:asyncEnd');
    expect(message).toMatchObject({ attempts: 2, statusCode: 200 });
    expect(heard.of('request:retry')).toEqual([
      {
        request: message,
        serverAddress: fpm.address.slice('unix:'.length),
        serverPort: null,
        attempts: 1,
        executed: 'no',
        phase: 'waiting',
        hint: expect.stringContaining('pm.max_requests'),
        error: expect.any(FcgiError),
      },
    ]);
    expect(heard.of('request:error')).toEqual([]);
    expect(heard.of('connection:closed')[0]).toMatchObject({ reason: 'recycled', requests: 2 });
  });

  it('tell why no connection came about', async () => {
    await using pool = new Pool('unix:/nonexistent/fpm.sock', { connectTimeout: 1 });
    using heard = listen(...CONNECT, 'request:error');
    await expect(text(pool, { params: GET })).rejects.toBeInstanceOf(FcgiError);
    const [failed] = heard.of('connect:error');
    expect(failed).toMatchObject({ serverAddress: '/nonexistent/fpm.sock', error: expect.any(FcgiError) });
    expect(heard.of('request:error')[0]).toBe(failed?.['request']);
  });

  it('tell the reason that a caller gave up for, and what was seen up to then', async () => {
    const held = gate();
    await using fpm = await startFakeFpm({ onRequest: () => held.opened });
    await using pool = new Pool(fpm.address);
    using heard = listen('request:error');
    const reason = new Error('no more');
    const signal = AbortSignal.abort(reason);
    await expect(text(pool, { params: GET, signal })).rejects.toBe(reason);
    expect(heard.of('request:error')[0]).toMatchObject({ error: reason, facts: { executed: 'no' } });
    held.open();
  });

  it('tell what PHP wrote to STDERR, message by message, the last one as the request ends', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stderr('PHP message: one; PHP message: PHP Warning:  two in /srv/a.php ');
        await response.stdout(`${HEAD}ok`);
        await response.stderr('on line 3');
      },
    });
    await using pool = new Pool(fpm.address);
    using heard = listen('request:stderr', 'request:asyncEnd');
    let own = '';
    await text(pool, { params: GET, onStderr: (chunk) => (own += Buffer.from(chunk)) });
    expect(own).toMatch(/^PHP message: one.*line 3$/);
    const [message] = heard.of('request:asyncEnd');
    const told = heard.of('request:stderr');
    expect(told.every(({ request }) => request === message)).toBe(true);
    expect(told.flatMap(({ messages }) => messages)).toMatchObject([
      { level: 'log', message: 'one' },
      { level: 'warning', message: 'two', file: '/srv/a.php', line: 3 },
    ]);
    expect(heard.told.at(-1)?.[0]).toBe('request:asyncEnd');
  });

  it('tell that a server of several is left alone, and is back', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Upstream([
      { address: 'unix:/nonexistent/fpm.sock', maxFails: 1 },
      { address: fpm.address },
    ]);
    using heard = listen('server:state');
    for (let i = 0; i < 4; i++) expect(await text(pool, { params: GET })).toBe('ok');
    expect(heard.of('server:state')[0]).toMatchObject({
      serverAddress: '/nonexistent/fpm.sock',
      previous: 'up',
      state: 'failed',
      why: expect.stringContaining('ENOENT'),
    });
  });

  it('tell that a server is suspected, is down by its option, and leaves', async () => {
    const silent = await startFakeFpm({ workers: 8, script: (_, response) => response.hang() });
    await using good = await startFakeFpm({ workers: 8 });
    await using other = await startFakeFpm();
    const pool = new Upstream([silent.address, good.address, { address: other.address, down: true }]);
    using heard = listen('server:state');
    const told = (): unknown[] =>
      heard.of('server:state').map(({ serverAddress, previous, state }) => [serverAddress, previous, state]);
    const path = (address: string): string => address.slice('unix:'.length);
    const stuck = [1, 2].map(() => text(pool, { params: GET, server: silent.address }).catch(() => {}));
    await waitFor(async () => {
      await text(pool, { params: GET, server: good.address });
      return told().length > 0;
    });
    expect(told()).toEqual([[path(silent.address), 'up', 'suspect']]);
    pool.update([silent.address, { address: good.address, down: true }]);
    expect(told().slice(1)).toEqual([
      [path(good.address), 'up', 'down'],
      [path(other.address), 'down', 'leaving'],
    ]);
    await pool.destroy();
    await silent[Symbol.asyncDispose]();
    await Promise.all(stuck);
  });

  it('say nothing of what is no request, which its handler is told as ever', async () => {
    await using pool = new Pool('unix:/nonexistent/fpm.sock');
    using heard = listen(...REQUEST);
    const recorder = new Recorder();
    pool.dispatch({ params: new Map() } as never, recorder);
    expect(await recorder.over).toMatchObject({ code: 'FCGI_ERR_INVALID_ARG' });
    const other = new Recorder();
    pool.dispatch({ params: GET, onStderr: 'x' } as never, other);
    expect(await other.over).toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'onStderr' });
    expect(() => pool.dispatch({ params: GET }, {} as never)).toThrow(/onResponseError/);
    expect(heard.told).toEqual([]);
  });

  it('end once, where the callback at the end throws', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    using heard = listen('request:asyncEnd', 'request:error');
    const recorder = new Recorder();
    recorder.onResponseEnd = () => {
      throw new Error('mine');
    };
    pool.dispatch({ params: GET }, recorder);
    expect(await recorder.over).toMatchObject({ message: 'mine' });
    expect(heard.told.map(([name]) => name)).toEqual(['request:asyncEnd']);
  });
});

describe('a listener that throws', () => {
  it('breaks no request: Node reports it by itself', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stderr('PHP message: x');
        await response.stdout(`${HEAD}ok`);
      },
    });
    await using pool = new Pool(fpm.address, { connections: 1 });
    const reported: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => reported.push(error.message));
    using _heard = listen();
    const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
    const names = [...REQUEST, ...CONNECT]
      .map((name) => `tracing:fastcgi-pool:${name}`)
      .concat(['queued', 'headers', 'stderr'].map((name) => `fastcgi-pool:request:${name}`))
      .concat('fastcgi-pool:connection:closed');
    const fail = (_message: unknown, name: string | symbol): void => {
      throw new Error(String(name));
    };
    for (const name of names) subscribe(name, fail);
    try {
      const all = await Promise.all([text(pool, { params: GET }), text(pool, { params: GET })]);
      expect(all).toEqual(['ok', 'ok']);
      await pool.close();
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      for (const name of names) unsubscribe(name, fail);
      process.removeAllListeners('uncaughtException');
      for (const one of before) process.on('uncaughtException', one);
    }
    expect(new Set(reported)).toEqual(new Set(names.filter((name) => !/error$/.test(name))));
  });
});
