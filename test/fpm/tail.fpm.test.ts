import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { startFpm } from './support/index.ts';

/** Waits behind its answer for up to 3 s, until the call of its number has been answered, and notes whether it was. */
const ASKS_ITSELF = `$called = __DIR__ . '/called.' . $_SERVER['QUERY_STRING']; fastcgi_finish_request();
  for ($t = microtime(true); !file_exists($called) && microtime(true) - $t < 3; clearstatcache()) usleep(200);
  file_put_contents(__DIR__ . '/log', file_exists($called) ? 'called ' : 'never ', FILE_APPEND);`;

describe.each(['unix', 'tcp'] as const)('a script that goes on behind its answer (%s)', (transport) => {
  it('makes nobody wait: the next request does not go to its worker, the first time and later', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 4 });
    const quick = fpm.script('quick.php', `echo 'quick';`);
    const tail = fpm.script('tail.php', `echo 'done'; fastcgi_finish_request(); usleep(1500000);`);
    await using pool = new Pool(fpm.address, { connections: 4 });
    const run = async (params: typeof quick): Promise<string> => (await pool.request({ params })).body.text();
    for (let i = 0; i < 5; i++) await run(quick);
    for (let i = 0; i < 2; i++) {
      await run(tail);
      const begun = performance.now();
      expect(await run(quick)).toBe('quick');
      expect(performance.now() - begun).toBeLessThan(1_000);
    }
  });

  it('may ask the same pool for another page from there, even as the first script of all', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 4 });
    const other = fpm.script('other.php', `echo 'other';`);
    const first = fpm.script('first.php', `echo 'first'; fastcgi_finish_request(); usleep(3000000);`);
    await using pool = new Pool(fpm.address, { connections: 4 });
    const run = async (params: typeof other): Promise<string> => (await pool.request({ params })).body.text();
    expect(await run(first)).toBe('first');
    const begun = performance.now();
    expect(await run(other)).toBe('other');
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it.each<['one' | 'two', 'before' | 'behind']>([
    ['one', 'before'],
    ['one', 'behind'],
    ['two', 'before'],
    ['two', 'behind'],
  ])(
    'may ask %s servers for a page each time, of pages that follow one another: the call comes %s the next page, and six workers do',
    async (servers, order) => {
      await using fpm = await startFpm({ transport, maxChildren: 6 });
      const page = fpm.script('page.php', `echo 'page';`);
      const own = fpm.script('own.php', ASKS_ITSELF);
      await using second = servers === 'two' ? await startFpm({ transport, maxChildren: 6 }) : null;
      await using pool =
        second === null
          ? new Pool(fpm.address, { connections: 6 })
          : new Upstream([fpm.address, second.address], { connections: 6 });
      const run = async (params: typeof own, n: number): Promise<void> => {
        const { body } = await pool.request({ params: { ...params, QUERY_STRING: String(n) } });
        await body.text();
      };
      const calls: Promise<void>[] = [];
      const call = async (n: number): Promise<void> => {
        await run(page, n);
        writeFileSync(`${fpm.root}/called.${n}`, '');
      };
      await run(own, 0);
      for (let n = 0; n < 8; n++) {
        const next = order === 'before' ? null : run(own, n + 1);
        calls.push(call(n));
        await (next ?? run(own, n + 1));
      }
      calls.push(call(8));
      await Promise.all(calls);
      await expect
        .poll(() => readFileSync(`${fpm.root}/log`, 'utf8'), { timeout: 10_000 })
        .toBe('called '.repeat(9));
    },
  );

  it('may ask its site for a page each time, whichever of two processes gets that call', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 8 });
    const page = fpm.script('page.php', `usleep(5000); echo 'page';`);
    const own = fpm.script('own.php', ASKS_ITSELF);
    await using here = new Pool(fpm.address, { connections: 4 });
    // As another process: the one knows nothing of what the other has answered.
    await using there = new Pool(fpm.address, { connections: 4 });
    const run = async (pool: Pool, params: typeof own, n: number): Promise<void> => {
      const { body } = await pool.request({ params: { ...params, QUERY_STRING: String(n) } });
      await body.text();
    };
    for (let n = 0; n < 12; n++) {
      await run(here, own, n);
      await run(n < 8 ? there : here, page, n);
      writeFileSync(`${fpm.root}/called.${n}`, '');
    }
    await expect
      .poll(() => readFileSync(`${fpm.root}/log`, 'utf8'), { timeout: 10_000 })
      .toBe('called '.repeat(12));
  });
});
