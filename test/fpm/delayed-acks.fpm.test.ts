/** Over tcp PHP-FPM leaves Nagle's algorithm on, and Linux acknowledges late on a connection that is kept: see learned/delayed-acks.ts. */
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFpm } from './support/index.ts';

/** ms that each page took, one after the other. */
async function pages(
  pool: Pool,
  params: Record<string, string>,
  count: number,
  body?: Buffer,
): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const response = await pool.request({ params, ...(body && { body }) });
    await response.body.bytes();
    took.push(performance.now() - begun);
  }
  return took;
}

const late = (took: readonly number[]): number => took.filter((ms) => ms >= 35).length;

it.each([9_000, 20_000])(
  'a page of %i bytes over tcp stands still for 40 ms a few times, and then no more',
  async (size) => {
    await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4 });
    const page = fpm.script('page.php', `echo str_repeat('x', ${size});`);
    await using pool = new Pool(fpm.address, { connections: 4 });
    await pages(pool, page, 40);
    expect(late(await pages(pool, page, 60))).toBeLessThan(6);
  },
);

it('small pages over tcp go on kept connections', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4 });
  const page = fpm.script('page.php', `echo str_repeat('x', 5000);`);
  await using pool = new Pool(fpm.address, { connections: 4 });
  await pages(pool, page, 200);
  expect(pool.stats.closed['not-kept']).toBe(0);
});

it('a script that pauses in the middle of its page does so on any connection: they are kept', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4 });
  const page = fpm.script('page.php', `echo 'a'; flush(); usleep(45000); echo 'b';`);
  // Leases of two pages: as many are new as are kept.
  await using pool = new Pool(fpm.address, { connections: 4 });
  await pages(pool, page, 40);
  expect(pool.stats.closed['not-kept']).toBe(0);
});

it('an upload, whose new connection was asked for its worker first, has its page at once, too', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4 });
  const page = fpm.script('page.php', `echo str_repeat('x', 20000);`);
  await using pool = new Pool(fpm.address, { connections: 4 });
  const body = Buffer.alloc(20_000, 'a');
  const upload = { ...page, REQUEST_METHOD: 'POST', CONTENT_LENGTH: `${body.length}` };
  await Promise.all([pages(pool, page, 1), pages(pool, page, 1)]);
  await pages(pool, upload, 10, body);
  expect(late(await pages(pool, upload, 40, body))).toBeLessThan(6);
});
