import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { text } from '../pool/support.ts';
import { executionLog, startFpm, startHaproxy } from './support/index.ts';

it('through a real TCP proxy, told `proxied: true`: workers recycled at every 2 requests, 0 failed, 0 twice', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4, maxRequests: 2 });
  await using proxy = await startHaproxy({ mode: 'tcp', fpm });
  const log = executionLog(fpm.root);
  const get = fpm.script('page.php', `${log.php} echo 'ok';`);
  const post = { ...get, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
  const { endpoint } = proxy;
  await using pool = new Pool(endpoint, {
    proxied: true,
    connections: 4,
  });
  const client = async (_: unknown, nth: number): Promise<void> => {
    for (let i = 0; i < 15; i++) {
      const REQUEST_ID = `${nth}-${i}`;
      const form = { params: { ...post, REQUEST_ID }, body: 'a=1' };
      expect(await text(pool, i % 2 === 0 ? form : { params: { ...get, REQUEST_ID } })).toBe('ok');
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  const counts = log.executions();
  expect(counts.size).toBe(120);
  expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
}, 30_000);
