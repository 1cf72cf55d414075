import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { ended, GET, gate, rawServer, text } from './support.ts';

it('nothing is dialled before the first request', async () => {
  await using server = await rawServer(() => {});
  await using pool = new Pool(server.address);
  expect(pool.stats.connected).toBe(0);
  expect(server.sockets).toHaveLength(0);
});

describe('never more sockets than `connections`', () => {
  it('however many requests come at once', async () => {
    let open = 0;
    let most = 0;
    const hold = gate();
    await using fpm = await startFakeFpm({
      workers: 20,
      script: async (_, response) => {
        most = Math.max(most, ++open);
        await hold.opened;
        open--;
        await response.stdout('Content-type: text/plain\r\n\r\nok');
      },
    });
    await using pool = new Pool(fpm.address, { connections: 3 });
    const all = Array.from({ length: 20 }, () => text(pool, { params: GET }));
    await fpm.executed(3);
    expect(pool.stats).toMatchObject({ connected: 3, busy: 3, idle: 0, queued: 17 });
    hold.open();
    expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(most).toBe(3);
  });

  it.each([1, 2, 5])(
    'also while workers are recycled after %i requests and their requests go out again',
    async (maxRequests) => {
      await using fpm = await startFakeFpm({ workers: 20, maxRequests });
      await using pool = new Pool(fpm.address, { connections: 3 });
      let most = 0;
      let over = false;
      const watch = (): void => {
        most = Math.max(most, pool.stats.connected);
        if (!over) setImmediate(watch);
      };
      watch();
      const client = async (): Promise<void> => {
        for (let i = 0; i < 30; i++) expect(await text(pool, { params: GET })).toBe('ok');
      };
      await Promise.all(Array.from({ length: 10 }, client));
      over = true;
      expect(fpm.requests).toHaveLength(300);
      expect(most).toBe(3);
    },
  );
});

it('a connection that replaced a recycled one is the one that the next request uses', async () => {
  await using fpm = await startFakeFpm({ workers: 4, maxRequests: 3 });
  await using pool = new Pool(fpm.address, { connections: 4 });
  for (let i = 0; i < 30; i++) {
    await ended(pool, { params: GET });
    expect(pool.stats.connected).toBeLessThanOrEqual(1);
  }
  expect(fpm.requests).toHaveLength(30);
});

it('the connection last used is used next, so that no more are kept warm than are needed', async () => {
  await using fpm = await startFakeFpm({ workers: 4 });
  // None is given back in between, however slow the machine is.
  await using pool = new Pool(fpm.address, { connections: 4, keepaliveTime: 0, keepaliveTimeout: 60_000 });
  await Promise.all(Array.from({ length: 4 }, () => ended(pool, { params: GET })));
  const before = fpm.requests.length;
  for (let i = 0; i < 12; i++) await ended(pool, { params: GET });
  expect(new Set(fpm.requests.slice(before).map(({ connection }) => connection)).size).toBe(1);
});

it('the counters of `stats` add up', async () => {
  await using fpm = await startFakeFpm({ workers: 4, maxRequests: 3 });
  const pool = new Pool(fpm.address, { connections: 4, keepaliveRequests: 5 });
  await Promise.all(Array.from({ length: 40 }, () => ended(pool, { params: GET })));
  expect(pool.stats).toMatchObject({ served: 40, queued: 0, busy: 0 });
  expect(pool.stats.idle).toBe(pool.stats.connected);
  await pool.close();
  const closed = Object.values(pool.stats.closed).reduce((sum, count) => sum + count, 0);
  expect(pool.stats).toMatchObject({ connected: 0, idle: 0, busy: 0 });
  expect(closed).toBe(fpm.accepted);
});
