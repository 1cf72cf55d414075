/** The program itself, as it is built: what only a process of its own can show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childrenOf, gone } from '../fpm/support/fpm.ts';
import { waitFor, within } from '../fpm/support/wait.ts';
import { SiteFolder, text } from './support/site.ts';

const bin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

let site: SiteFolder;
const children = new Set<ChildProcess>();
beforeEach(() => {
  if (!existsSync(bin)) throw new Error('dist/cli/bin.js is missing: npm run build');
  site = new SiteFolder();
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  site.remove();
});

interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  out: string;
  err: string;
  /** Status or signal. */
  readonly ended: Promise<unknown>;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, [bin, ...args], { cwd: site.path, env: process.env });
  children.add(child);
  const ended = once(child, 'close').then(([status, signal]) => status ?? signal);
  const program: Program = { child, pid: child.pid ?? 0, out: '', err: '', ended };
  child.stdout?.on('data', (chunk: Buffer) => {
    program.out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    program.err += chunk;
  });
  return program;
}

async function serving(...args: string[]): Promise<Program & { url: string }> {
  const program = start('serve', '--listen', '127.0.0.1:0', ...args);
  const url = await waitFor(() => /^http:\S+(?=\n)/.exec(program.out)?.[0], {
    what: `a URL; stderr: ${program.err}`,
  });
  return Object.assign(program, { url });
}

/** As `start`, from a folder that is gone before it begins. */
async function startNowhere(...args: string[]): Promise<{ status: unknown; out: string; err: string }> {
  const folder = join(site.parent, 'gone');
  mkdirSync(folder);
  const script = 'rmdir "$0" && exec "$@"';
  const child = spawn('sh', ['-c', script, folder, process.execPath, bin, ...args], { cwd: folder });
  children.add(child);
  const [out, err, [status]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    within(once(child, 'close'), 20_000, 'the end of the program'),
  ]);
  return { status, out, err };
}

/** The processes below one: php-fpm, its workers and the guard. */
function family(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...family(child)]);
}

describe('the program', () => {
  it('says its version and its help on stdout', async () => {
    const version = start('--version');
    expect(await version.ended).toBe(0);
    const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect([version.out, version.err]).toEqual([`${own.version}\n`, '']);
    const help = start('--help');
    expect([await help.ended, help.err]).toEqual([0, '']);
    expect(help.out).toMatch(/^Usage: fastcgi-pool COMMAND/);
  });

  it.each([
    [[], 2, /^fastcgi-pool: COMMAND is missing/],
    [['serve', '--nope'], 2, /^fastcgi-pool: serve: unknown option '--nope'/],
    [['serve', 'missing'], 2, /^fastcgi-pool: serve: DOCROOT 'missing' does not exist/],
    [['ping', 'unix:/nowhere/fpm.sock'], 1, /^fastcgi-pool: ping: /],
  ])('%j: status %i and one line on stderr', async (args, status, line) => {
    const program = start(...args);
    expect(await within(program.ended, 4000, 'the end')).toBe(status);
    expect(program.out).toBe('');
    expect(program.err).toMatch(line);
    expect(program.err.split('\n')).toHaveLength(2);
  });

  it('does not mind a reader that leaves early', async () => {
    const program = start('--help');
    program.child.stdout?.destroy();
    expect([await within(program.ended, 4000, 'the end'), program.err]).toEqual([0, '']);
  });
});

describe('serve', () => {
  // SIGQUIT is what a container gets whose image was made from PHP-FPM's
  it.each(['SIGTERM', 'SIGQUIT'] as const)(
    'after %s answers the slow request, leaves no process and no file, and exits with 0',
    async (signal) => {
      site.put('index.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(1); echo "ended";');
      const program = await serving();
      const response = await fetch(program.url);
      // php-fpm answers before all of its children are there
      const pids = await waitFor(() => {
        const all = family(program.pid);
        return all.length > 8 && all;
      });
      program.child.kill(signal);
      expect(await response.text()).toBe('begun ended');
      expect(await within(program.ended, 4000, 'the end')).toBe(0);
      await gone(pids);
      expect([site.filesLeft, program.err]).toEqual([[], '']);
    },
  );

  it('at a second signal ends at once', async () => {
    site.put('index.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(20);');
    const program = await serving();
    const response = await fetch(program.url);
    const pids = family(program.pid);
    program.child.kill('SIGINT');
    await expect(
      waitFor(() =>
        fetch(program.url).then(
          () => false,
          () => true,
        ),
      ),
    ).resolves.toBe(true);
    program.child.kill('SIGTERM');
    expect(await within(program.ended, 2000, 'the end')).toBe(143);
    await expect(response.text()).rejects.toThrow();
    await gone(pids);
    await waitFor(() => site.filesLeft.length === 0, { what: 'no file left' });
  });

  it('killed by SIGKILL leaves no php-fpm and no file', async () => {
    const program = await serving();
    const pids = family(program.pid);
    expect(readdirSync(`${site.parent}/tmp`)).toHaveLength(1);
    program.child.kill('SIGKILL');
    expect(await program.ended).toBe('SIGKILL');
    await gone(pids);
    await waitFor(() => site.filesLeft.length === 0, { what: 'no file left' });
  });

  it('opens no debugger at a SIGUSR1 that comes while it starts', async () => {
    const asked = join(site.path, 'asked');
    const answer = join(site.path, 'answer');
    site.put(
      'config.mjs',
      `import { existsSync, writeFileSync } from 'node:fs';
      writeFileSync('asked', '');
      while (!existsSync('answer')) await new Promise((resolve) => setTimeout(resolve, 20));
      export default { docroot: 'nowhere' };`,
    );
    const program = start('serve', '--config', 'config.mjs');
    await waitFor(() => existsSync(asked), { what: 'its start', timeout: 20_000 });
    program.child.kill('SIGUSR1');
    // one that opens says so at once
    await waitFor(() => program.err !== '', { what: 'a word', timeout: 500 }).catch(() => {});
    writeFileSync(answer, '');
    expect(await within(program.ended, 20_000, 'the end')).toBe(2);
    expect(program.err).toMatch(/^fastcgi-pool: serve: DOCROOT '.*nowhere' does not exist .*\n$/);
  });

  it('goes on when nobody reads what it says any more', async () => {
    site.put('index.php', '<?php error_log("x"); echo "x";');
    const program = await serving();
    program.child.stdout?.destroy();
    program.child.stderr?.destroy();
    for (let count = 0; count < 20; count += 1) expect(await text(program.url)).toBe('x');
    program.child.kill('SIGTERM');
    expect(await within(program.ended, 4000, 'the end')).toBe(0);
  });

  it('goes on, and ends, when what it says is not read but the pipe stays open', async () => {
    site.put('a.txt', 'a');
    const program = await serving();
    program.child.stdout?.pause();
    const url = `${program.url}/a.txt?${'x'.repeat(4000)}`;
    // far more than a pipe holds
    for (let count = 0; count < 100; count += 1) expect(await text(url)).toBe('a');
    program.child.kill('SIGTERM');
    const [status] = (await within(once(program.child, 'exit'), 5000, 'the end')) as [number];
    expect(status).toBe(0);
  });
});

describe('from a folder that is gone, as a release is behind a deploy', () => {
  it('what needs no folder works', async () => {
    site.put('index.php', '<?php echo "page";');
    expect(await startNowhere('--version')).toMatchObject({ status: 0, err: '' });
    expect(await startNowhere('serve', site.path, '--check')).toEqual({
      status: 0,
      out: 'all is well\n',
      err: '',
    });
  });

  it('what does says so in a line', async () => {
    expect(await startNowhere('serve', '--check')).toEqual({
      status: 2,
      out: '',
      err: expect.stringMatching(/^fastcgi-pool: serve: DOCROOT .* does not exist.*\n$/),
    });
  });
});
