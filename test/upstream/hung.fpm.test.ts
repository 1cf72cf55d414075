/** One of several real PHP-FPM hangs, and many requests come at once: two are lost to it, and no more. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FcgiError, Upstream } from '../../src/index.ts';
import { gone, tempDir, waitFor } from '../fpm/support/index.ts';
import { type Farm, startFarm } from './load.ts';
import { stateOf } from './support.ts';

/** Longer than any of these tests: what waits for a host that hangs waits until it is told to stop. */
const OPTIONS = { connections: 8, headersTimeout: 60_000, queueTimeout: 0 } as const;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

/** Scripts take 100 ms, and on `a` never end while the file is there. */
function hangingFarm(hosts: number, file: string): Promise<Farm> {
  const php = `if (getenv("NODE") === "a" && file_exists("${file}")) sleep(600); usleep(100000); echo getenv("NODE");`;
  const maxChildren = hosts > 3 ? 4 : 8;
  return startFarm(NAMES.slice(0, hosts), php, [{ maxChildren, transport: 'tcp' }]);
}

/** So many at once; resolves once no more than `lost` are open, and says how many are, and who answered. */
async function burst(
  upstream: Upstream,
  { params }: Farm,
  size: number,
  lost: number,
): Promise<{ open: number; from: Set<string> }> {
  let open = size;
  const from = new Set<string>();
  const ask = async (id: number): Promise<void> => {
    try {
      const response = await upstream.request({ params: { ...params, REQUEST_ID: `${id}` } });
      from.add(await response.body.text());
      open--;
    } catch (error) {
      if (!(error instanceof FcgiError) || error.code !== 'FCGI_ERR_DESTROYED') throw error;
    }
  };
  const all = Promise.all(Array.from({ length: size }, (_, id) => ask(id)));
  await waitFor(() => open <= lost, { timeout: 15_000, what: `all answers but ${lost}` });
  const left = open;
  await upstream.destroy();
  await all;
  return { open: left, from };
}

describe.each([
  [2, 16],
  [2, 50],
  [3, 50],
  [10, 100],
])('of %i hosts the scripts of one hang, %i requests at once', (hosts, size) => {
  it('two wait for it, and all others are answered', async () => {
    const folder = tempDir('hung-');
    const file = join(folder.path, 'hangs');
    writeFileSync(file, '');
    await using farm = await hangingFarm(hosts, file);
    await using upstream = new Upstream(farm.addresses, OPTIONS);
    const { open, from } = await burst(upstream, farm, size, 2);
    expect(open).toBe(2);
    expect([...from].sort()).toEqual(NAMES.slice(1, hosts));
    folder.remove();
  }, 40_000);
});

describe('one of two hosts has answered, and then', () => {
  it('is restarted, and its scripts hang: it gets one request to show that it is back', async () => {
    const folder = tempDir('hung-');
    const file = join(folder.path, 'hangs');
    await using farm = await hangingFarm(2, file);
    const [address = '', b = ''] = farm.addresses;
    await using upstream = new Upstream([{ address, failTimeout: 100 }, b], {
      ...OPTIONS,
      backend: 'php-fpm',
    });
    const ask = async (server?: string): Promise<string> =>
      (await upstream.request({ params: { ...farm.params, REQUEST_ID: 'before' }, server })).body.text();
    expect((await Promise.all([ask(), ask()])).sort()).toEqual(['a', 'b']);
    const { pid } = farm.fpms[0] ?? { pid: 0 };
    farm.fpms[0]?.kill('SIGQUIT');
    await gone([pid]);
    expect(await Promise.all([ask(), ask()])).toEqual(['b', 'b']);
    expect(stateOf(upstream, address)).not.toBe('up');
    writeFileSync(file, '');
    await farm.fpms[0]?.restart();
    // It is asked whether it is back as long as there is something to do.
    while (stateOf(upstream, address) === 'failed') expect(await ask(b)).toBe('b');
    const { open, from } = await burst(upstream, farm, 50, 1);
    expect([open, [...from]]).toEqual([1, ['b']]);
    folder.remove();
  }, 40_000);

  it('is stopped while nobody asks: two of the next 50 wait for it', async () => {
    await using farm = await startFarm(['a', 'b'], 'echo getenv("NODE");', [
      { maxChildren: 8, transport: 'tcp' },
    ]);
    await using upstream = new Upstream(farm.addresses, { ...OPTIONS, backend: 'php-fpm' });
    for (let i = 0; i < 4; i++) {
      const response = await upstream.request({ params: { ...farm.params, REQUEST_ID: `before ${i}` } });
      expect(await response.body.text()).toMatch(/[ab]/);
    }
    // Behind an answer it is known to be there for 25 ms.
    const answered = performance.now();
    await waitFor(() => performance.now() - answered > 30);
    const pids = [farm.fpms[0]?.pid ?? 0, ...((await farm.fpms[0]?.workers()) ?? [])];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      const { open, from } = await burst(upstream, farm, 50, 2);
      expect([open, [...from]]).toEqual([2, ['b']]);
      // It was asked whether it is there. That is counted, and ends with the pool.
      expect(upstream.stats.servers[0]?.stats.closed.examined).toBeGreaterThan(0);
      await waitFor(() => upstream.stats.connected === 0, { timeout: 2_000 });
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  }, 40_000);
});
