/** Where `serve` listens: unix sockets with a mode, and sockets that systemd hands over. */
import { once } from 'node:events';
import { renameSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemdSockets } from '../../../src/cli/serve/http/listen-address.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { bin, firstUrl, start } from '../support/program.ts';
import { serve } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

it.each(['0600', '666'])('--listen-mode %s is that of the socket', async (mode) => {
  site.put('index.php', '<?php echo "x";');
  const socketPath = join(site.parent, 'http.sock');
  await using served = await serve(site.path, ['--listen', `unix:${socketPath}`, '--listen-mode', mode]);
  expect(statSync(socketPath).mode & 0o777).toBe(Number.parseInt(mode, 8));
  const [response] = await once(request({ socketPath }).end(), 'response');
  expect(await textOf(response)).toBe('x');
  expect(await served.stop()).toBe(0);
});

it('at a unix socket, X-Forwarded-For is believed with --trusted-proxy unix', async () => {
  site.put('index.php', '<?php echo $_SERVER["REMOTE_ADDR"] ?? "nobody";');
  const socketPath = join(site.parent, 'http.sock');
  await using served = await serve(site.path, [
    ...['--listen', `unix:${socketPath}`],
    ...['--trusted-proxy', 'unix'],
  ]);
  const asked = request({ socketPath, headers: { 'x-forwarded-for': '192.0.2.7' } }).end();
  const [response] = await once(asked, 'response');
  expect(await textOf(response)).toBe('192.0.2.7');
  await served.io.said(/^192\.0\.2\.7 - - /m);
});

it.each([['1'], ['2']])(
  'IPv4 and IPv6 at one port are both served, by %s processes, as with nginx',
  async (workers) => {
    site.put('index.php', '<?php echo $_SERVER["SERVER_ADDR"];');
    const free = createServer().listen(0, '::');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    await using served = await serve(site.path, [
      ...['--listen', `0.0.0.0:${port}`, '--listen', `[::]:${port}`],
      ...['--workers', workers],
    ]);
    expect(await text(`http://127.0.0.1:${port}/`)).toBe('127.0.0.1');
    expect(await text(`http://[::1]:${port}/`)).toBe('::1');
    expect(await served.stop()).toBe(0);
  },
);

it.each([['1'], ['2']])('a socket that was handed over is served, by %s processes', async (workers) => {
  site.put('index.php', '<?php echo "at ", $_SERVER["SERVER_PORT"], getenv("LISTEN_FDS");');
  const handed = createServer().listen(0, '127.0.0.1');
  await once(handed, 'listening');
  const { port } = handed.address() as AddressInfo;
  const { fd } = (handed as unknown as { _handle: { fd: number } })._handle;
  await using program = start(
    [
      '-c',
      'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"',
      'sh',
      process.execPath,
      bin,
      'serve',
      '--workers',
      workers,
    ],
    { cwd: site.path, env: process.env, stdio: ['ignore', 'pipe', 'pipe', fd] },
    'sh',
  );
  // the descriptor stays open in the program
  handed.close();
  await waitFor(() => program.out.includes(`http://127.0.0.1:${port}\n`), {
    what: `the URL; stderr: ${program.err}`,
    timeout: 25_000,
  });
  expect(await text(`http://127.0.0.1:${port}`)).toBe(`at ${port}`);
  expect(await program.stop()).toBe(0);
});

it.each(['1', '2'])(
  'a unix socket that was handed over speaks no TLS, as one of --listen does not, with %s processes',
  async (workers) => {
    site.put('index.php', '<?php echo $_SERVER["HTTPS"] ?? "plain";');
    const socketPath = join(site.parent, 'http.sock');
    const handed = createServer().listen(socketPath);
    await once(handed, 'listening');
    const { fd } = (handed as unknown as { _handle: { fd: number } })._handle;
    await using program = start(
      [
        ...['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', process.execPath, bin],
        ...['serve', '--tls', '--listen', 'https://127.0.0.1:0', '--workers', workers],
      ],
      { cwd: site.path, env: process.env, stdio: ['ignore', 'pipe', 'pipe', fd] },
      'sh',
    );
    await waitFor(() => program.out.includes('https://127.0.0.1:'), {
      what: `the URLs; stderr: ${program.err}`,
      timeout: 25_000,
    });
    // or it would be asked as well; it takes its path with it
    renameSync(socketPath, `${socketPath}-moved`);
    handed.close();
    const asked = request({ socketPath: `${socketPath}-moved` }).end();
    const [response] = await once(asked, 'response');
    expect(await textOf(response)).toBe('plain');
    expect(await program.stop()).toBe(0);
  },
);

it('a connection that was handed over in place of a socket to listen at is refused, with the line of the unit to change', async () => {
  const handing = createServer().listen(0, '127.0.0.1');
  await once(handing, 'listening');
  const client = connect((handing.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = await once(handing, 'connection');
  const { fd } = accepted._handle;
  await using program = start(
    ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', process.execPath, bin, 'serve'],
    { cwd: site.path, env: process.env, stdio: ['ignore', 'pipe', 'pipe', fd] },
    'sh',
  );
  expect(await program.ended).toBe(1);
  expect(program.err).toContain('cannot listen on fd:3: ');
  expect(program.err).toContain('Accept=no');
  client.destroy();
  accepted.destroy();
  handing.close();
});

it.each([
  ['/run/systemd/notify', true],
  ['', false],
])(
  'NOTIFY_SOCKET=%s, as Type=notify has it: it is said that systemd would wait in vain: %s',
  async (path, says) => {
    await using program = start([bin, 'serve', '--listen', '127.0.0.1:0', '--quiet'], {
      cwd: site.path,
      env: { ...process.env, NOTIFY_SOCKET: path },
    });
    await firstUrl(program);
    expect(await program.stop()).toBe(0);
    expect(program.err.includes('Type=exec')).toBe(says);
  },
);

it('sockets that were meant for another process are left alone', () => {
  const env = { LISTEN_FDS: '2', LISTEN_PID: '7' };
  const isFirst = (fd: number): boolean => fd === 3;
  expect(systemdSockets(env, 7, isFirst)).toEqual([
    { fd: 3, tls: true },
    { fd: 4, tls: false },
  ]);
  expect(systemdSockets(env, 8, isFirst)).toEqual([]);
  expect(systemdSockets({ LISTEN_PID: '7' }, 7, isFirst)).toEqual([]);
  expect(systemdSockets({ LISTEN_FDS: 'x', LISTEN_PID: '7' }, 7, isFirst)).toEqual([]);
});
