/** `serve --workers`: several processes with one php-fpm, one of which may crash. */

import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StatusReport } from '../../../src/observe/status/report.ts';
import { childrenOf, firstPid, gone } from '../../fpm/support/fpm.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { bin, family, firstUrl, type Program, start, startServe } from '../support/program.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

/** By its file: how the main thread of Node is called depends on the version. */
function programOf(pid: number): string {
  return basename(readlinkSync(`/proc/${pid}/exe`));
}

function workersOf({ pid }: Program): number[] {
  return childrenOf(pid).filter((child) => programOf(child) === 'node');
}

function mastersOf({ pid }: Program): number[] {
  return childrenOf(pid).filter((child) => programOf(child).startsWith('php-fpm'));
}

/** On a connection of its own; resolves with the page, or with the code of what went wrong. */
function page(url: string, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(url, { agent }, (res) => {
      textOf(res).then(resolve, (error: NodeJS.ErrnoException) => resolve(`cut: ${error.code}`));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(`failed: ${error.code}`)).end();
  });
}

it('all serve, by one php-fpm that has a child for each of their connections; one log; SIGTERM leaves nothing', async () => {
  site.put('index.php', '<?php error_log("from PHP"); echo "page";');
  site.put('slow.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(1); echo "ended";');
  await using program = await startServe(site.path, [
    '--workers',
    '3',
    '--connections',
    '4',
    '--ini',
    'log_errors=1',
  ]);
  expect(workersOf(program)).toHaveLength(3);
  const [master = 0, ...more] = mastersOf(program);
  expect(more).toEqual([]);
  await waitFor(() => childrenOf(master).length === 6);
  const pages = await Promise.all(Array.from({ length: 12 }, () => page(`${program.url}/`)));
  expect(pages).toEqual(Array(12).fill('page'));
  const slow = await fetch(`${program.url}/slow.php`);
  const pids = family(program.pid);
  const status = program.stop();
  expect(await slow.text()).toBe('begun ended');
  expect(await status).toBe(0);
  await gone(pids);
  expect(site.filesLeft).toEqual([]);
  expect(program.out.match(/"GET \/ HTTP\/1\.1" 200 4 /g)).toHaveLength(12);
  expect(program.out.match(/"GET \/slow\.php HTTP\/1\.1" 200 /g)).toHaveLength(1);
  expect(program.err).toBe('PHP: from PHP (GET /)\n'.repeat(12));
});

it('the status page of one is that of all of them, also where one does not answer', async () => {
  site.put('index.php', '<?php echo "page";');
  await using program = await startServe(site.path, ['--workers', '2', '--connections', '4', '--quiet']);
  const look = async (): Promise<StatusReport> => {
    // on a connection of its own, as a browser that has just come
    const agent = new Agent({ keepAlive: true });
    const report = await page(`${program.url}/-/fastcgi-pool?json`, agent);
    agent.destroy();
    return JSON.parse(report);
  };
  const ofBoth = (): Promise<StatusReport> =>
    waitFor(
      async () => {
        const report = await look();
        return report.processes === 2 && report;
      },
      { what: 'an answer of both', timeout: 20_000 },
    );
  expect((await ofBoth()).served).toBe(0);
  // each on a connection of its own: in turn to one worker and the other
  for (let nth = 0; nth < 6; nth += 1) await page(`${program.url}/`);
  const after = await ofBoth();
  expect(after.scripts).toEqual([
    expect.objectContaining({ script: join(site.path, 'index.php'), requests: 6 }),
  ]);
  expect(after.servers).toEqual([expect.objectContaining({ served: after.served, state: 'up' })]);
  const stopped = firstPid(workersOf(program));
  process.kill(stopped, 'SIGSTOP');
  try {
    // half of the connections go to the one that stands still
    const answers = [look(), look(), look()];
    expect(await Promise.race(answers)).toMatchObject({ processes: 1 });
  } finally {
    process.kill(stopped, 'SIGCONT');
  }
});

it('one that crashes takes no more than its own requests with it, and another takes its place', async () => {
  const folder = join(site.parent, 'go');
  mkdirSync(folder);
  // whoever runs PHP is to write there
  chmodSync(folder, 0o777);
  site.put(
    'wait.php',
    '<?php touch("../go/" . getmypid()); for ($i = 0; $i < 600 && !file_exists("../go/on"); $i++) { usleep(20000); clearstatcache(); } echo "waited";',
  );
  site.put('index.php', '<?php echo "page";');
  await using program = await startServe(site.path, ['--workers', '2', '--connections', '8']);
  const before = workersOf(program);
  // in turn: two requests at each
  const waiting = Array.from({ length: 4 }, () => page(`${program.url}/wait.php`));
  await waitFor(() => readdirSync(folder).length === 4, { what: 'four scripts that wait', timeout: 20_000 });
  const pages: Promise<string>[] = [];
  for (let nth = 0; nth < 10; nth += 1) pages.push(page(`${program.url}/`));
  await Promise.all(pages.splice(0));
  process.kill(firstPid(before), 'SIGKILL');
  // also while it is gone, and nothing hangs
  for (let nth = 0; nth < 40; nth += 1) pages.push(page(`${program.url}/`));
  expect(await Promise.all(pages)).toEqual(Array(40).fill('page'));
  await waitFor(() => workersOf(program).length === 2, { what: 'a second worker', timeout: 25_000 });
  expect(workersOf(program)).toContain(before[1]);
  expect(program.err).toMatch(
    /^fastcgi-pool: worker [12] ended: it was ended by SIGKILL; starting it again\n$/,
  );
  writeFileSync(join(folder, 'on'), '');
  const ends = await Promise.all(waiting);
  expect(ends.filter((end) => end === 'waited')).toHaveLength(2);
  expect(ends.filter((end) => /ECONNRESET/.test(end))).toHaveLength(2);
  expect(await program.stop()).toBe(0);
});

it('all that crash at once leave no client without an answer: connections wait for the next ones', async () => {
  site.put('index.php', '<?php echo "page";');
  await using program = await startServe(site.path, ['--workers', '2', '--connections', '2']);
  for (const pid of workersOf(program)) process.kill(pid, 'SIGKILL');
  expect(await Promise.all([page(program.url), page(program.url), page(program.url)])).toEqual([
    'page',
    'page',
    'page',
  ]);
});

it('by HTTPS and at a unix socket as well; a kept connection stays with its worker', async () => {
  site.put('index.php', '<?php echo $_SERVER["REMOTE_ADDR"] ?? "nobody", " ", $_SERVER["HTTPS"] ?? "-";');
  const socketPath = join(site.parent, 'http.sock');
  await using program = await startServe(site.path, [
    ...['--workers', '2', '--tls', '--listen', `unix:${socketPath}`, '--listen', 'http://127.0.0.1:0'],
  ]);
  const plain = await waitFor(() => /http:\S+/.exec(program.out)?.[0]);
  const asked = request({ socketPath }).end();
  const answer = new Promise<string>((resolve, reject) => {
    asked.on('response', (res) => resolve(textOf(res))).on('error', reject);
  });
  expect(await answer).toBe('nobody -');
  expect(await text(plain)).toBe('127.0.0.1 -');
  const { Agent: SecureAgent, request: requestSecure } = await import('node:https');
  const agent = new SecureAgent({ keepAlive: true, rejectUnauthorized: false });
  for (let nth = 0; nth < 3; nth += 1) {
    const secure = await new Promise<string>((resolve, reject) => {
      requestSecure(program.url, { agent }, (res) => resolve(textOf(res)))
        .on('error', reject)
        .end();
    });
    expect(secure).toBe('127.0.0.1 on');
  }
  // kept connections do not hold up the end
  expect(await program.stop()).toBe(0);
  agent.destroy();
});

function isRefused(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

it('a second signal ends all at once', async () => {
  site.put('index.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(20);');
  await using program = await startServe(site.path, ['--workers', '2']);
  const response = await fetch(program.url);
  const pids = family(program.pid);
  program.child.kill('SIGINT');
  // no page: one that is accepted in this moment takes as long as the other
  await waitFor(() => isRefused(program.url));
  expect(await program.stop()).toBe(143);
  await expect(response.text()).rejects.toThrow();
  await gone(pids);
});

it('one that crashes while the last requests are finished is named: the limit for those has not passed', async () => {
  site.put('index.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(20);');
  await using program = await startServe(site.path, ['--workers', '2', '--quiet']);
  const response = await fetch(program.url);
  const cut = response.text().catch(() => 'cut');
  const workers = workersOf(program);
  const status = program.stop();
  await waitFor(() => isRefused(program.url));
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  expect(await status).toBe(1);
  expect(await cut).toBe('cut');
  expect(program.err).toBe(
    'fastcgi-pool: serve: a worker ended while it finished its requests: it was ended by SIGKILL\n',
  );
});

it('workers end with the first process, however it ends', async () => {
  await using program = await startServe(site.path, ['--workers', '2']);
  const pids = family(program.pid);
  program.child.kill('SIGKILL');
  await program.ended;
  await gone(pids);
});

it('a first process that is killed leaves no crashes of the workers in the log: they cannot tell it of their last requests', async () => {
  site.put('index.php', '<?php echo "page";');
  await using program = await startServe(site.path, ['--workers', '2']);
  const all = workersOf(program);
  for (let count = 0; count < 4; count++) expect(await page(program.url)).toBe('page');
  // a moment later they would have told it
  for (const worker of all) process.kill(worker, 'SIGSTOP');
  program.child.kill('SIGKILL');
  await waitFor(() => program.child.signalCode !== null);
  for (const worker of all) process.kill(worker, 'SIGCONT');
  await program.ended;
  expect(program.err).toBe('');
});

it('what one of them refuses before it is a request is in the log', async () => {
  await using program = await startServe(site.path, ['--workers', '2', '--connections', '2']);
  const socket = connect(Number(new URL(program.url).port), '127.0.0.1').on('error', () => {});
  socket.write('RUBBISH\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expect(await program.stop()).toBe(0);
  expect(program.out).toMatch(/^127\.0\.0\.1 - - \[[^\]]*\] "RUBBISH" 400 \d+ "-" "-"$/m);
});

it('serve where a process manager or an agent starts the program and talks to it in messages of its own, as PM2 does', async () => {
  site.put('index.php', '<?php echo "page";');
  const other = 'process.send?.({ node_version: "20" });\n';
  const manager = join(site.parent, 'manager.mjs');
  const agent = join(site.parent, 'agent.mjs');
  writeFileSync(manager, `${other}await import(${JSON.stringify(pathToFileURL(bin))});\n`);
  writeFileSync(agent, other);
  await using program = start(
    ['--import', agent, manager, 'serve', '--listen', '127.0.0.1:0', '--workers', '2', '--quiet'],
    { cwd: site.path, env: process.env },
  );
  const url = await firstUrl(program);
  expect(await page(url)).toBe('page');
  expect(workersOf(program)).toHaveLength(2);
  expect(await program.stop()).toBe(0);
  expect(program.err).toBe('');
});
