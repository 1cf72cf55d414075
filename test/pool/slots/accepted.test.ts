/** What is behind a TCP proxy, as it is said, and what it makes of FCGI_GET_VALUES in front of a request. */
import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Pool, type PoolOptions, Upstream } from '../../../src/index.ts';
import { END, record, STDOUT } from '../../testing/support/wire.ts';
import { answer, COMPLETE, ended, GET, POST, text } from '../support.ts';
import { answers, type Behaviour, behaving, modern, old, VALUES } from './support.ts';

const TOLD: PoolOptions = { backend: 'php-fpm', proxied: true };
const ends = (socket: Socket): unknown => socket.end();
const FORM = { params: POST, body: 'a=1' };

async function posts(pool: Pool | Upstream, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    expect(await ended(pool, { ...FORM, headersTimeout: 5_000 })).toMatchObject({ attempts: 1 });
}

it('PHP-FPM: asked twice in turn on the first connection, and on later ones in one go', async () => {
  await using server = await behaving(() => modern);
  await using pool = new Pool(server.address, TOLD);
  await posts(pool, 3);
  expect(server.seen).toEqual(['VVR', 'VVR', 'VVR']);
});

it('a connection is kept for those requests only that may go out on a kept one: its worker is held meanwhile', async () => {
  await using server = await behaving(() => modern);
  await using pool = new Pool(server.address, TOLD);
  expect(await text(pool, FORM)).toBe('ok');
  expect(await text(pool, { params: GET })).toBe('ok');
  expect(await text(pool, { params: GET, retry: 'idempotent' })).toBe('ok');
  await using idempotent = new Pool(server.address, { ...TOLD, retry: 'idempotent' });
  expect(await text(idempotent, FORM)).toBe('ok');
  expect(server.seen).toEqual(['VVR', 'VVR', 'VVK', 'VVK']);
});

it('one that closes behind its answer: found out on two connections, which carry no request; then not asked', async () => {
  await using server = await behaving(() => old);
  await using pool = new Pool(server.address, TOLD);
  await posts(pool, 4);
  expect(server.seen).toEqual(['V', 'V', 'R', 'R', 'R', 'R']);
  expect(pool.stats.closed['server-closed']).toBe(2);
});

it('one that closes behind its answer, with a php.ini that starts scripts before their body is read: one POST runs twice, no other', async () => {
  await using server = await behaving(() => ({ ...old, onRequest: (socket) => socket.resetAndDestroy() }));
  await using pool = new Pool(server.address, { backend: 'php-fpm' });
  const lost = { code: 'FCGI_ERR_SOCKET_RESET', executed: 'unknown' };
  const named = { ...lost, hint: expect.stringContaining('postDataReading') };
  await expect(pool.request(FORM)).rejects.toMatchObject({ ...named, attempts: 2 });
  for (let nth = 2; nth <= 4; nth++)
    await expect(pool.request(FORM)).rejects.toMatchObject({ ...named, attempts: 1 });
  expect(server.seen.filter((seen) => /[RK]$/.test(seen))).toHaveLength(2 + 3);
});

it('one that closes behind its answer, asked on a kept connection: the next request does not run into its close', async () => {
  await using server = await behaving(() => ({ ...old, onRequest: (socket) => socket.write(answer()) }));
  await using pool = new Pool(server.address, { connections: 1, retry: 'never' });
  for (let nth = 1; nth <= 3; nth++) expect(await text(pool, { params: GET })).toBe('ok');
  expect(server.seen[0]).toBe('KV');
});

it('one that is updated to such a version, or back, loses no request by it', async () => {
  await using server = await behaving((nth) => (nth === 3 || nth === 4 ? old : modern));
  await using pool = new Pool(server.address, TOLD);
  await posts(pool, 4);
  expect(server.seen.map((seen) => seen.replace(/V+$/, 'V'))).toEqual(['VVR', 'VVR', 'V', 'V', 'VVR', 'VVR']);
});

it('a worker that answers once and leaves, as it is told to stop: the request goes out on another connection', async () => {
  const leaving: Behaviour = { onValues: (socket, nth) => (nth === 1 ? socket.end(VALUES) : undefined) };
  await using server = await behaving((nth) => (nth % 2 === 0 ? leaving : modern));
  await using pool = new Pool(server.address, TOLD);
  await posts(pool, 6);
  expect(server.seen.filter((seen) => seen.endsWith('R'))).toHaveLength(6);
});

describe('what is said to be PHP-FPM and is not', () => {
  it('leaves the record unanswered: the request is sent without, a hint says so, and then it is not asked', async () => {
    const dies: Behaviour = { onValues: () => {}, onRequest: ends };
    await using server = await behaving((nth) => (nth > 4 ? dies : { onValues: () => {} }));
    await using pool = new Pool(server.address, { ...TOLD, headersTimeout: 200 });
    for (let i = 0; i < 2; i++) expect(await text(pool, FORM)).toBe('ok');
    expect(server.seen).toEqual(['V', 'V', 'R', 'R']);
    await expect(pool.request(FORM)).rejects.toMatchObject({
      executed: 'unknown',
      hint: expect.stringContaining('as `backend` says?'),
    });
    expect(server.seen[4]).toBe('R');
    expect(pool.stats.closed.unanswered).toBe(2);
  });

  it('speaks HTTP: the error says so', async () => {
    const http: Behaviour = {
      onValues: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      onRequest: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    };
    await using server = await behaving(() => http);
    await using pool = new Pool(server.address, TOLD);
    await expect(pool.request(FORM)).rejects.toMatchObject({ code: 'FCGI_ERR_RECORD_VERSION' });
  });
});

describe('a proxy that takes connections and has no server for them', () => {
  const closes: Behaviour = { onValues: ends };

  it('is tried again until it has one', async () => {
    await using server = await behaving((nth) => (nth <= 6 ? closes : modern));
    await using pool = new Pool(server.address, { ...TOLD, tries: 1 });
    await posts(pool, 1);
    expect(server.seen).toEqual([...Array(6).fill('V'), 'VVR']);
    expect(pool.stats.closed['server-closed']).toBe(6);
  });

  it('for connectTimeout at the most: the request was not run, and the hint says on what that rests', async () => {
    await using server = await behaving(() => closes);
    await using pool = new Pool(server.address, { ...TOLD, connectTimeout: 200 });
    await expect(pool.request(FORM)).rejects.toMatchObject({
      code: 'FCGI_ERR_CONNECT_TIMEOUT',
      executed: 'no',
      bytesSent: 0,
      hint: expect.stringContaining('no worker of php-fpm did, so nothing was sent'),
    });
    expect(server.seen.join('')).not.toContain('R');
  });

  it('by a reset, too', async () => {
    const resets: Behaviour = { onValues: (socket) => socket.resetAndDestroy() };
    await using server = await behaving((nth) => (nth <= 2 ? resets : modern));
    await using pool = new Pool(server.address, TOLD);
    await posts(pool, 1);
    expect(pool.stats.closed.reset).toBe(2);
  });

  it('of two proxies the other one is asked at once, and a single one is asked again', async () => {
    await using server = await behaving((nth) => (nth <= 3 ? closes : modern));
    await using other = await behaving(() => modern);
    await using two = new Upstream([server.address, other.address], TOLD);
    expect(await text(two, FORM)).toBe('ok');
    expect(server.seen).toEqual(['V']);
    await using one = new Upstream([server.address], TOLD);
    expect(await text(one, FORM)).toBe('ok');
    expect(server.seen).toEqual(['V', 'V', 'V', 'VVR']);
  });

  it('an Upstream gives up after connectTimeout', async () => {
    await using server = await behaving(() => closes);
    await using upstream = new Upstream([server.address], { ...TOLD, connectTimeout: 200 });
    await expect(upstream.request(FORM)).rejects.toMatchObject({
      code: 'FCGI_ERR_NO_LIVE_UPSTREAM',
      executed: 'no',
    });
  });
});

describe('a proxy that closes connections while they wait for a worker', () => {
  const closesAfter = (time: number): Behaviour => ({
    onValues: (socket) => void setTimeout(() => socket.end(), time),
  });

  it('the wait for a worker is no time in which it was refused, as long as others are let in', async () => {
    const slow: Behaviour = { onValues: answers, onRequest: () => {} };
    await using server = await behaving((nth) =>
      nth === 2 ? slow : nth === 3 || nth === 4 ? closesAfter(600) : modern,
    );
    const pool = new Pool(server.address, { ...TOLD, connectTimeout: 300 });
    await posts(pool, 1);
    // It stays, so that one who passes the lost one is no sign that its server hangs.
    const busy = pool.request(FORM).catch(() => undefined);
    await vi.waitFor(() => expect(server.seen[1]).toContain('R'), { timeout: 20_000 });
    const lost = ended(pool, FORM);
    await vi.waitFor(() => expect(server.seen[3]).toBe('V'), { timeout: 20_000 });
    // It waits for the second time, for longer than connectTimeout.
    await posts(pool, 1);
    expect(await lost).toMatchObject({ attempts: 1 });
    expect(server.seen[3]).not.toContain('R');
    await pool.destroy();
    await busy;
  });

  it('does so for headersTimeout in all', async () => {
    await using server = await behaving((nth) => (nth > 1 ? closesAfter(150) : modern));
    await using pool = new Pool(server.address, { ...TOLD, connectTimeout: 60_000 });
    await posts(pool, 1);
    await expect(pool.request({ ...FORM, headersTimeout: 500 })).rejects.toMatchObject({
      code: 'FCGI_ERR_HEADERS_TIMEOUT',
      executed: 'no',
    });
  });
});

describe('one of the servers behind the proxy hangs, and the others do not', () => {
  const hangs: Behaviour = { onValues: () => {} };

  it('what waits for it is dialled anew once others that came later have a worker: nothing of it was sent', async () => {
    await using server = await behaving((nth) => (nth === 2 ? hangs : modern));
    await using pool = new Pool(server.address, TOLD);
    await posts(pool, 1);
    const hung = ended(pool, FORM);
    await vi.waitFor(() => expect(server.seen[1]).toBe('VV'));
    await posts(pool, 3);
    expect(await hung).toMatchObject({ attempts: 1 });
    expect(server.seen[1]).toBe('VV');
    expect(server.seen.filter((seen) => seen.endsWith('R'))).toHaveLength(5);
    expect(pool.stats.closed.unanswered).toBe(1);
  });

  it('again and again, within one headersTimeout', async () => {
    await using server = await behaving((nth) => (nth % 4 === 2 ? hangs : modern));
    await using pool = new Pool(server.address, TOLD);
    await posts(pool, 1);
    let over = false;
    const hung = pool.request({ ...FORM, headersTimeout: 900 }).finally(() => {
      over = true;
    });
    const failed = expect(hung).rejects.toMatchObject({ code: 'FCGI_ERR_HEADERS_TIMEOUT', executed: 'no' });
    for (let nth = 2; !over; nth += 4) {
      await vi.waitFor(() => expect(over || server.seen[nth - 1] === 'VV').toBe(true), { timeout: 5_000 });
      // They pass it, and the next connection is its own again.
      if (!over) await posts(pool, 3);
    }
    await failed;
    expect(server.seen.filter((seen) => !seen.endsWith('R')).length).toBeLessThanOrEqual(4);
  });

  it('where nobody is answered, it waits', async () => {
    await using server = await behaving((nth) => (nth > 1 ? hangs : modern));
    await using pool = new Pool(server.address, TOLD);
    await posts(pool, 1);
    await expect(pool.request({ ...FORM, headersTimeout: 700 })).rejects.toMatchObject({
      code: 'FCGI_ERR_HEADERS_TIMEOUT',
      executed: 'no',
    });
    expect(server.seen.slice(1)).toEqual(['VV']);
  });
});

it('in the place of PHP-FPM is another server that does not know the question: a request that waits for its answer is sent once another one has shown that', async () => {
  const other: Behaviour = {
    onValues: () => {},
    onRequest: (socket) =>
      socket.end(
        Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\nok'), record(STDOUT, ''), record(END, COMPLETE)]),
      ),
  };
  const fpm: Behaviour = { onValues: answers, onRequest: (socket) => socket.write(answer()) };
  await using server = await behaving((nth) => (nth > 1 ? other : fpm));
  await using pool = new Pool(server.address);
  expect(await text(pool, { params: GET })).toBe('ok');
  await vi.waitFor(() => expect(server.seen[0]).toBe('KVV'));
  server.sockets[0]?.end();
  await vi.waitFor(() => expect(pool.stats.connected).toBe(0));
  const put = ended(pool, { params: { ...POST, REQUEST_METHOD: 'PUT' }, body: 'a=1' });
  await vi.waitFor(() => expect(server.seen[1]).toBe('V'));
  expect(await text(pool, { params: GET })).toBe('ok');
  expect(await put).toMatchObject({ attempts: 1 });
});
