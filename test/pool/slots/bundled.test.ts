import { expect, it, vi } from 'vitest';
import { Pool } from '../../../src/index.ts';
import { startFakeFpm } from '../../../src/testing/index.ts';
import { GET, text } from '../support.ts';

// As esbuild makes it with `splitting`: the module has no names but `default`.
vi.mock('generic-pool', async (load) => ({ default: (await load<{ default: unknown }>()).default }));

it('a bundler may give a CommonJS module that is loaded later by its default alone', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  expect(await text(pool, { params: GET })).toBe('ok');
});
