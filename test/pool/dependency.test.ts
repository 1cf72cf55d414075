import { expect, it, vi } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { GET } from './support.ts';

vi.mock('generic-pool', () => {
  throw new Error('it is not installed');
});

it('without generic-pool a request fails and says so, and does not wait for ever', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  for (let i = 0; i < 3; i++) {
    const cause = new Error('it is not installed');
    await expect(pool.request({ params: GET })).rejects.toMatchObject({ cause });
  }
  expect(pool.stats).toMatchObject({ connected: 0, busy: 0, queued: 0 });
});
