import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FpmProgram, findFpm } from '../../../src/cli/fpm/find.ts';
import { type PrivateFpm, type PrivateFpmOptions, startPrivateFpm } from '../../../src/cli/fpm/private.ts';
import { need } from '../../fpm/support/child.ts';
import { childrenOf, gone, isAlive } from '../../fpm/support/fpm.ts';
import { type TempDir, tempDir } from '../../fpm/support/temp.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { kill } from '../support/kill.ts';

const isRoot = process.getuid?.() === 0;
let program: FpmProgram;
let temp: TempDir;
let said: string[];
let fpm: PrivateFpm | undefined;

beforeAll(async () => {
  need('php-fpm');
  program = await findFpm(process.env['PATH'], null);
});
beforeEach(() => {
  temp = tempDir();
  vi.stubEnv('TMPDIR', temp.path);
  said = [];
});
afterEach(async () => {
  await fpm?.stop(1000);
  fpm = undefined;
  vi.unstubAllEnvs();
  temp.remove();
});

async function start(options: Partial<PrivateFpmOptions> = {}): Promise<PrivateFpm> {
  fpm = await startPrivateFpm({
    program,
    children: 2,
    user: isRoot ? { user: 'nobody', group: 'nogroup' } : null,
    ini: [],
    env: process.env,
    php: (line) => said.push(line),
    cwd: '/',
    say: (line) => said.push(line),
    kill,
    ...options,
  });
  return fpm;
}

const socketOf = ({ address }: PrivateFpm): string => address.slice('unix:'.length);

/** The master's pid: our child that is a php-fpm with this configuration. */
function masterOf(one: PrivateFpm): number | undefined {
  const folder = dirname(socketOf(one));
  return childrenOf(process.pid).find(
    (pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder) && isFpm(pid),
  );
}

const isFpm = (pid: number): boolean => readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('php-fpm');

function master(one: PrivateFpm): number {
  return masterOf(one) ?? expect.fail('no master');
}

describe('a php-fpm of our own', () => {
  it('has its socket in a folder that is ours alone, and as many workers as it was told', async () => {
    const one = await start();
    const folder = dirname(socketOf(one));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(dirname(folder)).toBe(temp.path);
    expect(await waitFor(() => childrenOf(master(one)).length === 2)).toBe(true);
    expect(said).toEqual([]);
  });

  it('leaves neither a process nor a file when it is stopped', async () => {
    const one = await start();
    // It answers as soon as its first worker is there.
    await waitFor(() => childrenOf(master(one)).length === 2);
    const pids = [...childrenOf(process.pid), ...childrenOf(master(one))];
    expect(pids.length).toBeGreaterThanOrEqual(4);
    await one.stop(2000);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(dirname(socketOf(one)))).toBe(false);
  });

  it('killed, with its workers left behind, is started again on the same address', async () => {
    const one = await start();
    const first = master(one);
    const orphans = await waitFor(() => childrenOf(first).length === 2 && childrenOf(first));
    process.kill(first, 'SIGKILL');
    await waitFor(() => {
      // one look: between two of them it may be gone
      const now = masterOf(one);
      return now !== undefined && now !== first && childrenOf(now).length === 2;
    });
    await gone(orphans);
    expect(said).toEqual(['php-fpm ended: it was ended by SIGKILL; starting it again']);
  });

  it('is started again, although a cleaner of /tmp has taken its configuration, which is days old', async () => {
    const one = await start();
    const first = master(one);
    rmSync(join(dirname(socketOf(one)), 'php-fpm.conf'));
    process.kill(first, 'SIGKILL');
    await waitFor(() => {
      const now = masterOf(one);
      return now !== undefined && now !== first && childrenOf(now).length === 2;
    });
    expect(said).toEqual(['php-fpm ended: it was ended by SIGKILL; starting it again']);
    expect(statSync(join(dirname(socketOf(one)), 'php-fpm.conf')).mode & 0o777).toBe(0o600);
  });

  it('at its end at once takes the workers with it', async () => {
    const one = await start();
    const pids = await waitFor(() => childrenOf(master(one)).length === 2 && childrenOf(master(one)));
    one.kill();
    await gone(pids);
  });
});

describe('what ends php-fpm when we cannot', () => {
  it.each(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const)(
    'outlives %s, which a terminal or a service manager sends to all',
    async (signal) => {
      const folder = dirname(socketOf(await start()));
      const guard = childrenOf(process.pid).find((pid) => {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return line.includes('fastcgi-pool-guard') && line.includes(folder);
      });
      const bit = BigInt(constants.signals[signal]) - 1n;
      await waitFor(() => {
        const [, ignored] = /^SigIgn:\s*(\w+)$/m.exec(readFileSync(`/proc/${guard}/status`, 'utf8')) ?? [];
        return ((BigInt(`0x${ignored}`) >> bit) & 1n) === 1n;
      });
    },
  );
});

describe('a php-fpm that does not start', () => {
  it('is an error in its own words, and leaves no file', async () => {
    const user = { user: 'no_such_user', group: 'no_such_group' };
    // only root may say who runs it
    const wrong = isRoot ? start({ user }) : start({ children: -1 });
    await expect(wrong).rejects.toThrow(/^php-fpm \(.*\) did not start: .*(no_such_user|max_children|FPM)/);
    await expect(wrong).rejects.not.toThrow(/\n/);
    expect(readdirSync(temp.path)).toEqual([]);
  });

  it('because it cannot be run is an error too', async () => {
    const missing = start({
      program: { path: join(temp.path, 'nothing'), kind: 'php-fpm', version: [8, 2, 0] },
    });
    await expect(missing).rejects.toThrow(/did not start: .*ENOENT/);
    expect(readdirSync(temp.path)).toEqual([]);
  });

  it('because its folder has gone says so, and not that php-fpm is missing', async () => {
    const cwd = join(temp.path, 'site');
    await expect(start({ cwd })).rejects.toThrow(`did not start: there is no folder ${cwd} any more`);
  });
});

it('a TMPDIR too long for a socket is not used', async () => {
  const long = join(temp.path, 'x'.repeat(100));
  vi.stubEnv('TMPDIR', long);
  mkdirSync(long);
  const one = await start();
  expect(socketOf(one)).toMatch(/^\/tmp\/fastcgi-pool-/);
});
