import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pool } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { GET, text } from '../pool/support.ts';

let parent: string;
let long: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'long-'));
  long = join(parent, 'x'.repeat(100));
  await mkdir(long);
  vi.stubEnv('TMPDIR', long);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(parent, { recursive: true });
});

it('two fakes get sockets of their own where TMPDIR is too long for one, and leave nothing there', async () => {
  await using one = await startFakeFpm();
  await using other = await startFakeFpm();
  for (const { address } of [one, other]) {
    await using pool = new Pool(address);
    expect(await text(pool, { params: GET })).toBe('ok');
  }
  expect([one.requests.length, other.requests.length]).toEqual([1, 1]);
  expect(await readdir(long)).toEqual([]);
});
