import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PoolOptions } from '../../src/pool/options.ts';
import { Pool } from '../../src/pool/pool.ts';
import { text } from '../pool/support.ts';
import { establishedTo, executionLog, startFpm, waitFor } from './support/index.ts';

const PAGE = `usleep(2000); echo 'ok';`;

/** So many clients, each one request after the other; the times of all requests in ms, the slowest last. */
async function load(clients: number, each: number, send: (id: string) => Promise<string>): Promise<number[]> {
  const times: number[] = [];
  const client = async (_: unknown, nth: number): Promise<void> => {
    for (let i = 0; i < each; i++) {
      const begun = performance.now();
      expect(await send(`${nth}-${i}`)).toBe('ok');
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return times.sort((a, b) => a - b);
}

describe.each(['unix', 'tcp'] as const)('more sockets than workers (%s)', (transport) => {
  it('60 clients, 16 connections, 2 workers: all are answered, the slowest not much later than without keepalive', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 2 });
    const params = fpm.script('page.php', PAGE);
    const slowest = async (options: PoolOptions): Promise<number> => {
      await using pool = new Pool(fpm.address, { connections: 16, ...options });
      const times = await load(60, 10, () => text(pool, { params }));
      expect(times).toHaveLength(60 * 10);
      return times.at(-1) ?? Number.NaN;
    };
    const without = await slowest({ keepalive: 0 });
    const kept = await slowest({});
    // A starved client waits for as long as the others go on: many times the slowest of a fair run.
    expect(kept).toBeLessThan(3 * without + 500);
  }, 30_000);

  it('clients that never pause do not starve those on other sockets', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 2 });
    const params = fpm.script('page.php', PAGE);
    await using pool = new Pool(fpm.address, { connections: 6 });
    const until = performance.now() + 2_000;
    const served = await Promise.all(
      Array.from({ length: 6 }, async () => {
        let count = 0;
        for (; performance.now() < until; count++) await text(pool, { params });
        return count;
      }),
    );
    expect(Math.min(...served)).toBeGreaterThan(0);
    // It has found out how many workers there are, or nearly so: with one more now and then.
    expect(await establishedTo(fpm.endpoint, process.pid)).toBeLessThanOrEqual(4);
  }, 15_000);

  it.each([1, 2, 5, 50])(
    'as many connections as workers, recycled every %i requests: all served, none twice, never more sockets',
    async (maxRequests) => {
      await using fpm = await startFpm({ transport, maxChildren: 4, maxRequests });
      const log = executionLog(fpm.root);
      const params = fpm.script('page.php', `${log.php} echo 'ok';`);
      await using pool = new Pool(fpm.address, { connections: 4 });
      let most = 0;
      let over = false;
      const watch = (async (): Promise<void> => {
        while (!over) {
          most = Math.max(most, await establishedTo(fpm.endpoint, process.pid));
          await delay(20);
        }
      })();
      const post = { ...params, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
      await load(8, 15, (id) => text(pool, { params: { ...post, REQUEST_ID: id }, body: 'a=1' }));
      over = true;
      await watch;
      const counts = log.executions();
      expect(counts.size).toBe(120);
      expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
      expect(most).toBeLessThanOrEqual(4);
      expect(most).toBeGreaterThan(0);
    },
    120_000,
  );

  it('two pools on one small PHP-FPM do not starve each other', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 2 });
    const params = fpm.script('page.php', PAGE);
    await using one = new Pool(fpm.address, { connections: 4 });
    await using two = new Pool(fpm.address, { connections: 4 });
    const times = await Promise.all([one, two].map((pool) => load(8, 40, () => text(pool, { params }))));
    // All were answered, and none waited for the other pool to be done: 640 requests of 2 ms on 2 workers take 0.7 s.
    for (const pool of times) expect(pool).toHaveLength(320);
    expect(Math.max(...times.flat())).toBeLessThan(4_000);
  }, 20_000);
});

it('where PHP-FPM starts workers as they are needed (pm = ondemand), the pool comes to use them all', async () => {
  await using fpm = await startFpm({ pm: 'ondemand', maxChildren: 6 });
  const params = fpm.script('page.php', PAGE);
  await using pool = new Pool(fpm.address, { connections: 8 });
  let over = false;
  const clients = Array.from({ length: 16 }, async () => {
    while (!over) await text(pool, { params });
  });
  // PHP-FPM starts one at a time, and the pool tries one more socket at a time, less and less often.
  await waitFor(async () => (await fpm.workers()).length === 6, {
    timeout: 20_000,
    what: 'the sixth worker',
  });
  over = true;
  await Promise.all(clients);
}, 30_000);
