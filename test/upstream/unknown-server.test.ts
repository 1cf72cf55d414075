/** Of a server that has not shown yet what it is: whether a request has run is found out before the request is failed. */
import { expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { type FakeFpm, startFakeFpm } from '../../src/testing/index.ts';
import { HEAD } from '../pool/support.ts';
import { answering, ask } from './support.ts';

/** The first request is reset, as by a worker that was told to leave and has not read it. */
function leavingOnce(): Promise<FakeFpm> {
  let requests = 0;
  return startFakeFpm({
    transport: 'tcp',
    workers: 8,
    script: async (_, response) => {
      requests++;
      if (requests === 1) await response.reset();
      else await response.stdout(`${HEAD}answered`);
    },
  });
}

it('the only one resets the first request: it is asked what it is, and the request sent again', async () => {
  await using fpm = await leavingOnce();
  await using upstream = new Upstream([fpm.address]);
  expect(await ask(upstream)).toBe('answered');
  expect(upstream.stats).toMatchObject({ served: 1, retried: 1 });
  expect(upstream.stats.closed.examined).toBeGreaterThan(0);
});

it('one of two: by default it is asked, too', async () => {
  await using fpm = await leavingOnce();
  await using other = await answering('other', { transport: 'tcp' });
  await using upstream = new Upstream([fpm.address, other.address], { balance: 'round-robin' });
  expect(await ask(upstream)).toMatch(/answered|other/);
  expect(upstream.stats.closed).toMatchObject({ reset: 1, examined: 2 });
});

it('one of two: what may run twice goes to the other one at once', async () => {
  await using fpm = await leavingOnce();
  await using other = await answering('other', { transport: 'tcp' });
  const options = { balance: 'round-robin', retry: 'idempotent' } as const;
  await using upstream = new Upstream([fpm.address, other.address], options);
  expect(await ask(upstream)).toBe('other');
  expect(upstream.stats.servers[0]?.stats.closed).toMatchObject({ reset: 1, examined: 0 });
});
