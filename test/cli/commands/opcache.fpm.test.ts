/** The opcache of a real php-fpm, and what is left of the script that asked for it: nothing. */

import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { FakeIo } from '../support/io.ts';

let fpm: Fpm;
let tmp: string;
beforeAll(async () => {
  fpm = await startFpm({ maxChildren: 1 });
  tmp = mkdtempSync(join(tmpdir(), 'seen-'));
  chmodSync(tmp, 0o755);
  vi.stubEnv('TMPDIR', tmp);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(tmp, { recursive: true });
  await fpm?.stop();
});

async function opcache(...args: string[]): Promise<{ status: number; io: FakeIo }> {
  const io = new FakeIo('/');
  const status = await run(['opcache', ...args], io);
  // Whatever became of it; a php-fpm of the test's own has its folder there, too.
  expect(readdirSync(tmp).filter((name) => !name.startsWith('fpm-'))).toEqual([]);
  expect(io.listeners).toBe(0);
  return { status, io };
}

describe('opcache', () => {
  it('shows the cache of php-fpm as a table and as JSON, and empties it', async () => {
    const shown = await opcache('status', fpm.address);
    expect(shown.io.err).toBe('');
    expect(shown.io.out).toMatch(/^enabled +true$/m);
    expect(shown.io.out).toMatch(/^memory free +[\d.]+ MiB$/m);
    const before = JSON.parse((await opcache('status', fpm.address, '--json')).io.out);
    const { io, status } = await opcache('reset', fpm.address);
    expect([status, io.out]).toEqual([0, 'the opcache is emptied\n']);
    // One question more: php-fpm empties it when the next request begins.
    const after = JSON.parse((await opcache('status', fpm.address, '--json')).io.out);
    expect(after.opcache_statistics.manual_restarts).toBe(before.opcache_statistics.manual_restarts + 1);
  });

  it('a second reset is well while scripts run that began before the first: nothing old is used any more', async () => {
    await using two = await startFpm({ maxChildren: 2 });
    const begun = join(two.root, 'begun');
    const source = `touch(${JSON.stringify(begun)}); while (file_exists(__FILE__)) { usleep(10000); clearstatcache(); }`;
    const { SCRIPT_FILENAME: script } = two.script('long.php', source);
    const running = run(['request', two.address, script], new FakeIo('/'));
    await expect.poll(() => existsSync(begun), { timeout: 10_000 }).toBe(true);
    const first = await opcache('reset', two.address);
    const second = await opcache('reset', two.address);
    rmSync(script);
    await running;
    expect([first.status, second.status, second.io.err]).toEqual([0, 0, '']);
  });

  it('a reset that cannot be says why: the cache is off for this pool, or in files alone', async () => {
    await using off = await startFpm({ extra: 'php_admin_value[opcache.enable] = 0' });
    const refused = await opcache('reset', off.address);
    expect([refused.status, refused.io.err]).toEqual([1, expect.stringMatching(/opcache\.enable/)]);
    const folder = mkdtempSync(join(tmpdir(), 'fpm-compiled-'));
    try {
      const phpIni = { 'opcache.file_cache': folder, 'opcache.file_cache_only': true };
      await using inFiles = await startFpm({ phpIni });
      const kept = await opcache('reset', inFiles.address);
      expect([kept.status, kept.io.err]).toEqual([
        1,
        expect.stringMatching(/delete what is in opcache\.file_cache/),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says which folder php-fpm cannot read, and what to do', async () => {
    const secret = join(tmp, '..', `secret-${process.pid}`);
    mkdirSync(secret, { mode: 0o700 });
    try {
      const { status, io } = await opcache('status', fpm.address, '--dir', secret, '--fpm-dir', '/nowhere');
      expect(status).toBe(1);
      expect(io.err).toContain(secret);
      expect(io.err).toContain('--fpm-dir');
      expect(readdirSync(secret)).toEqual([]);
    } finally {
      rmSync(secret, { recursive: true });
    }
  });

  it('says that its functions are disabled, and not that there is no opcache', async () => {
    await using without = await startFpm({
      maxChildren: 1,
      phpIni: { disable_functions: 'opcache_get_status,opcache_reset' },
    });
    for (const action of ['status', 'reset']) {
      const io = new FakeIo('/');
      const status = await run(['opcache', action, without.address], io);
      expect([status, io.err]).toEqual([1, expect.stringContaining('disable_functions')]);
    }
  });

  it.each(['opcache status', 'doctor'])('%s ends by a signal as all programs do', async (command) => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const asked = once(silent, 'connection');
    const io = new FakeIo('/');
    const status = run([...command.split(' '), `127.0.0.1:${port}`, '--timeout', '0'], io);
    await asked;
    io.signal('SIGINT');
    expect(await status).toBe(130);
    expect([io.out, io.err]).toEqual(['', expect.stringContaining('ended by SIGINT')]);
    expect(readdirSync(tmp)).toEqual([]);
    silent.close();
  });

  it('leaves nothing behind where php-fpm is not there', async () => {
    const { status, io } = await opcache('reset', 'unix:/nonexistent/fpm.sock');
    expect(status).toBe(1);
    expect(io.err).toContain('/nonexistent/fpm.sock');
  });

  it.each([
    [[], 'status or reset is missing'],
    [['status'], 'ADDRESS is missing'],
    [['flush', '127.0.0.1:9000'], "not 'flush'"],
    [['status', '127.0.0.1:9000', '--dir', 'x'], '--dir must be an absolute path'],
    [['status', '127.0.0.1:9000', '--fpm-dir', '/x'], '--fpm-dir needs --dir'],
  ])('%j is bad input', async (args, said) => {
    const { status, io } = await opcache(...args);
    expect(status).toBe(2);
    expect(io.err).toContain(said);
  });
});
