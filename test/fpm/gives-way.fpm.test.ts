import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended, text } from '../pool/support.ts';
import { startFpm, waitFor } from './support/index.ts';

it('a look for a proxy gives its place to a request: there are never more than `connections`', async () => {
  await using fpm = await startFpm({ transport: 'unix', maxChildren: 1 });
  await using pool = new Pool(fpm.address, { connections: 1 });
  await using other = new Pool(fpm.address, { connections: 1 });
  const page = fpm.script('page.php', `echo 'ok';`);
  await ended(pool, { params: page });
  // It has the worker as soon as the pool has closed its idle connection, so that the look has to wait.
  const slow = text(other, { params: fpm.script('slow.php', `usleep(400000); echo 'slow';`) });
  await waitFor(() => pool.stats.closed['keepalive-timeout'] === 1 && pool.stats.connected === 1);
  const answer = text(pool, { params: page });
  await turn();
  expect(pool.stats.connected).toBe(1);
  expect([await slow, await answer]).toEqual(['slow', 'ok']);
});
