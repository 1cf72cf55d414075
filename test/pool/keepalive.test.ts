import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { ended, GET, gate, text } from './support.ts';

/** However slow this machine is. */
const KEPT = { keepaliveTime: 0, keepaliveTimeout: 0 };

describe('keepalive', () => {
  it('0: FCGI_KEEP_CONN is never on the wire, and every request has a connection of its own', async () => {
    await using fpm = await startFakeFpm({ workers: 4 });
    await using pool = new Pool(fpm.address, { keepalive: 0 });
    for (let i = 0; i < 5; i++) expect((await ended(pool, { params: GET })).reused).toBe(false);
    expect(fpm.requests.map(({ keepConn }) => keepConn)).toEqual(Array.from({ length: 5 }, () => false));
    expect(fpm.accepted).toBe(5);
    expect(pool.stats).toMatchObject({ connected: 0, idle: 0 });
  });

  it('0: the next connection is opened before the last one is closed, so that a worker that is freed finds it', async () => {
    const opened: Socket[] = [];
    const states: boolean[][] = [];
    const onSocket = (message: unknown): void => {
      const { socket } = message as { socket: Socket };
      opened.push(socket);
      states.push(opened.map(({ destroyed }) => destroyed));
    };
    await using fpm = await startFakeFpm({ workers: 1 });
    await using pool = new Pool(fpm.address, { keepalive: 0, connections: 1 });
    subscribe('net.client.socket', onSocket);
    try {
      expect(await Promise.all([text(pool, { params: GET }), text(pool, { params: GET })])).toHaveLength(2);
    } finally {
      unsubscribe('net.client.socket', onSocket);
    }
    expect(states).toEqual([[false], [false, false]]);
    await waitFor(() => opened.every(({ destroyed }) => destroyed));
  });

  it('no more idle sockets are kept than it says, once nobody waits', async () => {
    const hold = gate();
    await using fpm = await startFakeFpm({ workers: 6, onRequest: () => hold.opened });
    await using pool = new Pool(fpm.address, { connections: 6, keepalive: 2 });
    const all = Array.from({ length: 6 }, () => ended(pool, { params: GET }));
    hold.open();
    await Promise.all(all);
    const { idle, connected } = pool.stats;
    expect(idle).toBe(connected);
    expect(idle).toBeLessThanOrEqual(2);
  });

  it('a connection serves one request after the other', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, KEPT);
    expect((await ended(pool, { params: GET })).reused).toBe(false);
    for (let i = 0; i < 10; i++)
      expect(await ended(pool, { params: GET })).toMatchObject({ reused: true, attempts: 1 });
    expect(fpm.accepted).toBe(1);
    expect(fpm.requests.map(({ nth }) => nth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('keepaliveRequests', () => {
  it('the last allowed request goes out without FCGI_KEEP_CONN, so that the server closes by itself', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, { ...KEPT, keepaliveRequests: 3 });
    for (let i = 0; i < 9; i++) await ended(pool, { params: GET });
    expect(fpm.requests.map(({ keepConn }) => keepConn)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(pool.stats.closed).toMatchObject({ 'keepalive-requests': 3 });
    expect(pool.stats.retried).toBe(0);
  });

  it('1: no connection is used twice', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, { keepaliveRequests: 1 });
    for (let i = 0; i < 3; i++) await ended(pool, { params: GET });
    expect(fpm.requests.every(({ keepConn, nth }) => !keepConn && nth === 1)).toBe(true);
  });

  it('is lessened by up to a tenth for each connection, so that they are not all renewed together, and never exceeded', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, { ...KEPT, connections: 1, keepaliveRequests: 40 });
    for (let i = 0; i < 1_200; i++) await ended(pool, { params: GET });
    const uses = fpm.requests.filter(({ keepConn }) => !keepConn).map(({ nth }) => nth);
    expect(Math.max(...uses)).toBeLessThanOrEqual(40);
    expect(Math.min(...uses)).toBeGreaterThanOrEqual(36);
    // 30 draws from four or five values: that all are the same has a chance of 1 in 10^17.
    expect(new Set(uses).size).toBeGreaterThan(1);
  });
});

it('keepaliveTime: a connection older than that is not used again', async () => {
  const hold = gate();
  await using fpm = await startFakeFpm({
    onRequest: ({ params }) => (params['HELD'] ? hold.opened : undefined),
  });
  await using pool = new Pool(fpm.address, { connections: 1, keepaliveTime: 30, backend: 'php-fpm' });
  const begun = performance.now();
  const slow = ended(pool, { params: { ...GET, HELD: '1' } });
  await waitFor(() => performance.now() - begun > 60);
  hold.open();
  await slow;
  expect(pool.stats.closed['keepalive-time']).toBe(1);
  expect((await ended(pool, { params: GET })).reused).toBe(false);
});

it('keepaliveTimeout: an idle connection gives its worker back after that, and not before', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { keepaliveTimeout: 100 });
  await ended(pool, { params: GET });
  const begun = performance.now();
  expect(fpm.connections).toBe(1);
  await waitFor(() => fpm.connections === 0);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(75); // a tick's breadth either way
  expect(pool.stats.closed['keepalive-timeout']).toBe(1);
  expect(await text(pool, { params: GET })).toBe('ok');
});
