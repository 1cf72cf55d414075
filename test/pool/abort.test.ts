import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { GET, gate, HEAD, POST, Recorder, rawServer, text } from './support.ts';

const enough = new Error('enough');

it('a signal that is aborted already: nothing is dialled', async () => {
  await using server = await rawServer(() => {});
  await using pool = new Pool(server.address);
  await expect(pool.request({ params: GET, signal: AbortSignal.abort(enough) })).rejects.toBe(enough);
  expect(pool.stats.connected).toBe(0);
  expect(server.sockets).toHaveLength(0);
});

it('aborted in the same turn: the reason, and the place is free', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { connections: 1 });
  const abort = new AbortController();
  const request = pool.request({ params: GET, signal: abort.signal });
  abort.abort(enough);
  await expect(request).rejects.toBe(enough);
  expect(await text(pool, { params: GET })).toBe('ok');
});

it('aborted while it dials: the reason at once, and the place is free', async () => {
  await using pool = new Pool('unix:/nowhere/at/all.sock', { connections: 1, connectTimeout: 60_000 });
  for (let i = 0; i < 3; i++) {
    const abort = new AbortController();
    const request = pool.request({ params: GET, signal: abort.signal });
    await waitFor(() => pool.stats.connected === 1);
    abort.abort(enough);
    await expect(request).rejects.toBe(enough);
    await waitFor(() => pool.stats.connected === 0);
  }
});

it('aborted while the body is sent: its source is told, and the socket closed', async () => {
  await using server = await rawServer((socket) => socket.pause());
  await using pool = new Pool(server.address);
  const told = gate();
  const endless = (async function* (): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      told.open();
    }
  })();
  const abort = new AbortController();
  const length = String(1024 ** 3);
  const request = pool.request({
    params: { ...POST, CONTENT_LENGTH: length },
    body: endless,
    signal: abort.signal,
  });
  await waitFor(() => server.sockets.length === 1);
  abort.abort(enough);
  await expect(request).rejects.toBe(enough);
  await told.opened;
  expect(pool.stats).toMatchObject({ connected: 0, closed: { aborted: 1 } });
});

it('aborted while the script runs: PHP-FPM ignores ABORT_REQUEST, so the socket is closed', async () => {
  const hung = gate();
  await using fpm = await startFakeFpm({
    script: async (_, response) => {
      await response.hang();
      hung.open();
    },
  });
  await using pool = new Pool(fpm.address);
  const abort = new AbortController();
  const request = pool.request({ params: GET, signal: abort.signal });
  await fpm.executed(1);
  abort.abort(enough);
  await expect(request).rejects.toBe(enough);
  await hung.opened;
});

describe('while the response comes', () => {
  const halfway = {
    script: async (_: unknown, response: { stdout(text: string): Promise<void>; hang(): Promise<void> }) => {
      await response.stdout(`${HEAD}half`);
      await response.hang();
    },
  };

  it('a signal: the body errors with its reason', async () => {
    await using fpm = await startFakeFpm(halfway);
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const response = await pool.request({ params: GET, signal: abort.signal });
    const whole = response.body.text();
    abort.abort(enough);
    await expect(whole).rejects.toBe(enough);
    expect(pool.stats.connected).toBe(0);
  });

  it('a reader that leaves: the socket is closed', async () => {
    await using fpm = await startFakeFpm(halfway);
    await using pool = new Pool(fpm.address);
    const response = await pool.request({ params: GET });
    for await (const chunk of response.body) {
      expect(String(chunk)).toBe('half');
      break;
    }
    expect(pool.stats).toMatchObject({ connected: 0, closed: { aborted: 1 } });
  });

  it('the controller: the handler is told once, with the reason', async () => {
    await using fpm = await startFakeFpm(halfway);
    await using pool = new Pool(fpm.address);
    const recorder = new Recorder();
    pool.dispatch({ params: GET }, recorder);
    await waitFor(() => recorder.events.includes('data'));
    recorder.controller?.abort(enough);
    recorder.controller?.abort(new Error('again'));
    expect(await recorder.over).toBe(enough);
    expect(recorder.events).toEqual(['request', 'start 200', 'data', 'error']);
    expect(recorder.controller?.aborted).toBe(true);
  });
});

it('an abort after the end does nothing', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  const abort = new AbortController();
  const recorder = new Recorder();
  pool.dispatch({ params: GET, signal: abort.signal }, recorder);
  await recorder.over;
  abort.abort(enough);
  recorder.controller?.abort(enough);
  expect(recorder.events).toEqual(['request', 'start 200', 'data', 'end']);
  expect(pool.stats).toMatchObject({ idle: 1, closed: { aborted: 0 } });
});

it('an abort without a reason fails with an AbortError', async () => {
  await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
  await using pool = new Pool(fpm.address);
  const recorder = new Recorder();
  pool.dispatch({ params: GET }, recorder);
  await fpm.executed(1);
  recorder.controller?.abort();
  expect(await recorder.over).toMatchObject({ name: 'AbortError' });
});

it('one aborted request of many leaves the others alone', async () => {
  const hold = gate();
  await using fpm = await startFakeFpm({ workers: 4, onRequest: () => hold.opened });
  await using pool = new Pool(fpm.address, { connections: 4 });
  const abort = new AbortController();
  const others = [1, 2, 3].map(() => text(pool, { params: GET }));
  const aborted = pool.request({ params: GET, signal: abort.signal });
  abort.abort(enough);
  hold.open();
  await expect(aborted).rejects.toBe(enough);
  expect(await Promise.all(others)).toEqual(['ok', 'ok', 'ok']);
});
