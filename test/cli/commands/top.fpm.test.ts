/** `top`: of a php-fpm and of a status page, on a terminal and not. */
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { certificate } from '../../../src/cli/serve/http/tls.ts';
import { fitted } from '../../../src/cli/top/screen.ts';
import { statusHandler } from '../../../src/gateway/node.ts';
import { Pool } from '../../../src/index.ts';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { text } from '../../pool/support.ts';
import { FakeIo } from '../support/io.ts';

let fpm: Fpm;
let pool: Pool;
let server: Server;
let url: string;
beforeAll(async () => {
  fpm = await startFpm({ maxChildren: 2 });
  pool = new Pool(fpm.address);
  const page = statusHandler(pool);
  server = createServer((req, res) => {
    if (req.url?.startsWith('/-/fastcgi-pool')) page(req, res);
    else res.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server?.close();
  await pool?.close();
  await fpm?.stop();
});

async function top(...args: string[]): Promise<{ status: number; io: FakeIo }> {
  const io = new FakeIo('/');
  return { status: await run(['top', ...args], io), io };
}

function onTerminal(io: FakeIo, TERM: string): void {
  Object.assign(io.stdout, { isTTY: true, columns: 60, rows: 10 });
  io.env = { ...process.env, TERM };
}

describe('top', () => {
  it("shows php-fpm's own status with each worker, once where stdout is no terminal", async () => {
    const { status, io } = await top(fpm.address);
    expect([status, io.err]).toEqual([0, '']);
    expect(io.out).toMatch(/^pool www \(static\) {3}up /);
    expect(io.out).toMatch(/^PID +STATE +REQUESTS +FOR /m);
    expect(io.out).toMatch(/^\d+ +Running .*\/status\?json&full$/m);
  });

  it('says how many workers there are, after many requests on a kept connection', async () => {
    await using kept = new Pool(fpm.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 });
    const params = fpm.script('hello.php', 'echo 1;');
    for (let i = 0; i < 30; i++) await text(kept, { params });
    const { io } = await top(fpm.address);
    expect(io.out).toMatch(/^workers 2 active, 0 idle, 2 in all/m);
  });

  it('shows what a status page says of servers, scripts and messages', async () => {
    await top(url);
    await text(pool, { params: fpm.script('warn.php', 'trigger_error("\x1b[2J beware", E_USER_WARNING);') });
    const { status, io } = await top(url);
    expect([status, io.err]).toEqual([0, '']);
    expect(io.out).toContain(`\n${fpm.address} `);
    expect(io.out).toMatch(/^SERVER +STATUS +REQ\/S +BUSY /m);
    expect(io.out).toMatch(/warn\.php +1 +0 /);
    expect(io.out).toMatch(/ warning +.*beware$/m);
    // What PHP writes does not steer the terminal.
    expect(io.out).not.toContain('\x1b');
  });

  it('shows that of `serve --tls` on this machine, whose certificate nobody knows', async () => {
    const page = statusHandler(pool);
    const secure = createSecureServer(await certificate('localhost', '/', () => {}), (req, res) =>
      page(req, res),
    );
    const port = await new Promise<number>((resolve) => {
      secure.listen(0, '127.0.0.1', () => resolve((secure.address() as AddressInfo).port));
    });
    const { status, io } = await top(`https://127.0.0.1:${port}`);
    secure.close();
    expect([status, io.err]).toEqual([0, '']);
    expect(io.out).toContain(`\n${fpm.address} `);
  });

  it('draws over again on a terminal, until it is left, and leaves it as it was', async () => {
    const io = new FakeIo('/');
    onTerminal(io, 'xterm');
    const status = run(['top', fpm.address, '--interval', '0.1'], io);
    await io.said(/fastcgi-pool top[\s\S]*fastcgi-pool top/);
    io.signal('SIGINT');
    expect(await status).toBe(0);
    expect(io.out).toContain('\x1b[?25l');
    expect(io.out.endsWith('\x1b[?25h')).toBe(true);
    expect(io.listeners).toBe(0);
  });

  it('shows one table on a terminal that has no cursor to move, as that of an editor', async () => {
    const io = new FakeIo('/');
    onTerminal(io, 'dumb');
    expect(await run(['top', fpm.address], io)).toBe(0);
    expect(io.out).toMatch(/^pool www /);
    expect(io.out).not.toContain('\x1b');
  });

  it('is left at once where what it looks at hangs, by keys that come together, too', async () => {
    const page = statusHandler(pool);
    let looks = 0;
    let hung = (): void => {};
    const hangs = new Promise<void>((resolve) => {
      hung = resolve;
    });
    const slow = createServer((req, res) => (++looks === 1 ? page(req, res) : hung()));
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const io = new FakeIo('/');
    const stdin = Object.assign(new PassThrough(), { setRawMode: () => {} });
    Object.assign(io, { stdin });
    onTerminal(io, 'xterm');
    const { port } = slow.address() as AddressInfo;
    const status = run(['top', `http://127.0.0.1:${port}`, '--interval', '0.1', '--timeout', '0'], io);
    await hangs;
    stdin.write('qq');
    expect(await status).toBe(0);
    slow.close();
    slow.closeAllConnections();
  });

  it('shows no password of a URL', async () => {
    const { io } = await top(`${url.replace('//', '//admin:hunter2@')}/x`);
    expect(io.err).toContain(`${url}/x answered with`);
    expect(io.err).not.toContain('hunter2');
  });

  it('shows what fits', () => {
    expect(fitted(['abcdef', 'b', 'c', 'd'], 4, 4)).toEqual(['abc…', 'b', 'c']);
    expect(fitted(['abcd'], 4, 0)).toEqual(['abcd']);
    expect(fitted(['日本語のログ'], 6, 2)).toEqual(['日本…']);
  });

  it('says what is not there', async () => {
    const none = await top('unix:/nonexistent/fpm.sock');
    expect(none.status).toBe(1);
    const other = await top(`${url}/x`);
    expect([other.status, other.io.err]).toEqual([1, expect.stringContaining('no status page')]);
  });

  it.each([
    [[], 'ADDRESS or URL is missing'],
    [['http://'], 'URL must be'],
    [['127.0.0.1:9', '--interval', '0'], '--interval must be'],
  ])('%j is bad input', async (args, said) => {
    const { status, io } = await top(...args);
    expect(status).toBe(2);
    expect(io.err).toContain(said);
  });
});
