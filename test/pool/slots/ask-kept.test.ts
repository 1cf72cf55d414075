/** A request with a body that PHP may leave unread, and a kept connection: its worker is asked whether it is there. */
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Pool, type PoolOptions } from '../../../src/index.ts';
import { answer, ended, GET, POST, text } from '../support.ts';
import { type Behaviour, behaving, modern, old } from './support.ts';

/** Kept for long enough, whatever is learned of others. */
const TOLD: PoolOptions = { backend: 'php-fpm', keepaliveTime: 0, keepaliveTimeout: 5_000 };
const PUT = { params: { ...POST, REQUEST_METHOD: 'PUT' }, body: 'a=1' };
const keeps = (socket: Socket, id: number): unknown => socket.write(answer('ok', id));
const kept: Behaviour = { ...modern, onRequest: keeps };

it('it is asked twice in one go, and the request goes out behind both answers: no new connection for each PUT', async () => {
  await using server = await behaving(() => kept);
  await using pool = new Pool(server.address, TOLD);
  for (let nth = 1; nth <= 3; nth++) expect(await ended(pool, PUT)).toMatchObject({ attempts: 1 });
  // In front of the first, as of any new connection.
  expect(server.seen).toEqual(['VVKVVKVVK']);
  expect(pool.stats.closed['fresh-needed']).toBe(0);
});

it('a form, and what has no body, is sent without', async () => {
  await using server = await behaving(() => kept);
  await using pool = new Pool(server.address, TOLD);
  for (const request of [PUT, { params: POST, body: 'a=1' }, { params: GET }]) await text(pool, request);
  expect(server.seen).toEqual(['VVKKK']);
});

it.each<[string, number]>([
  ['closes in place of the first', 3],
  ['answers once and closes, as it is told to stop', 4],
])('a worker that %s: the PUT goes out on a new connection, and was sent once', async (_, leavesAt) => {
  const leaving: Behaviour = {
    onRequest: keeps,
    onValues: (socket, nth) => (nth < leavesAt ? modern.onValues(socket, nth) : socket.end()),
  };
  await using server = await behaving((nth) => (nth === 1 ? leaving : kept));
  await using pool = new Pool(server.address, { ...TOLD, retry: 'never' });
  for (let nth = 1; nth <= 2; nth++) expect(await ended(pool, PUT)).toMatchObject({ attempts: 1 });
  expect(server.seen.map((seen) => seen.replace(/^VVKV+$/, 'VVKV'))).toEqual(['VVKV', 'VVK']);
});

it('a worker that is not back from its script: the PUT waits for another one', async () => {
  const busy: Behaviour = {
    onRequest: keeps,
    onValues: (socket, nth) => {
      if (nth <= 2) modern.onValues(socket, nth);
    },
  };
  await using server = await behaving((nth) => (nth === 1 ? busy : kept));
  await using pool = new Pool(server.address, { ...TOLD, connections: 2 });
  for (let nth = 1; nth <= 2; nth++) expect(await ended(pool, PUT)).toMatchObject({ attempts: 1 });
  expect(server.seen).toEqual(['VVKVV', 'VVK']);
});

it('one that closes behind its answer, as PHP-FPM before 8.2 does, is not asked: each PUT has a connection of its own', async () => {
  await using server = await behaving(() => ({ ...old, onRequest: keeps }));
  await using pool = new Pool(server.address, TOLD);
  for (let nth = 1; nth <= 3; nth++) expect(await ended(pool, PUT)).toMatchObject({ attempts: 1 });
  expect(server.seen).toEqual(['V', 'V', 'K', 'K', 'K']);
});

it('a client that leaves meanwhile: the PUT is not sent', async () => {
  const stop = new AbortController();
  const asked: Behaviour = {
    onRequest: keeps,
    onValues: (socket, nth) => {
      if (nth === 3) stop.abort();
      modern.onValues(socket, nth);
    },
  };
  await using server = await behaving(() => asked);
  await using pool = new Pool(server.address, TOLD);
  await text(pool, PUT);
  await expect(pool.request({ ...PUT, signal: stop.signal })).rejects.toThrow('aborted');
  await text(pool, { params: GET });
  expect(server.seen.join('').replaceAll('V', '')).toBe('KK');
});
