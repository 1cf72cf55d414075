/** Clients that end their side behind their request: `nc -N`, `socat`, `shutdown(SHUT_WR)`. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, expect, it } from 'vitest';
import { parseServe } from '../../../../src/cli/args/serve.ts';
import { siteHandler } from '../../../../src/cli/serve/handler.ts';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import type { Certificate } from '../../../../src/cli/serve/http/tls.ts';
import { FakeDispatcher } from '../../../gateway/fake-dispatcher.ts';
import { tempSite } from '../../../gateway/temp-site.ts';
import { localhostCertificate } from '../../support/certificate.ts';

const large = 'z'.repeat(3_000_000);
const site = tempSite({ 'style.css': 'body {}', 'large.txt': large, 'index.php': '' });
const fpm = new FakeDispatcher(() => {});

let listener: Listener;
afterAll(() => site.remove());
afterEach(() => {
  listener.destroy();
  fpm.exchanges.length = 0;
});

/** A site of which nothing has been asked yet. */
function newSite(certificate: Certificate | null = null): void {
  const [command] = parseServe([site.root]).sites;
  const hooks = { say: () => {}, ended: null, php: () => {} };
  const handler = siteHandler(fpm, { command, root: site.root, linked: [] }, hooks);
  listener = new Listener(handler, certificate);
}

/** Resolves with what comes back, until the server ends the connection. */
async function halfClosed(port: number, ...paths: string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  const heard = await buffer(socket);
  socket.destroy();
  return heard.toString('latin1');
}

/** The way of a single process, and that of one which is handed its connections, as workers are. */
const ways: [[string, () => Promise<number>], [string, () => Promise<number>]] = [
  [
    'a server that listens',
    async () => {
      const [url = ''] = await listener.listen([{ host: '127.0.0.1', port: 0 }]);
      return Number(new URL(url).port);
    },
  ],
  [
    'a worker that is handed its connections',
    async () => {
      const [take = () => {}] = await listener.accepting([{ tls: false }]);
      // as a socket comes by a channel between processes
      const server = createServer((socket: Socket) => take(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      server.unref();
      const address = server.address();
      return typeof address === 'object' ? (address?.port ?? 0) : 0;
    },
  ],
];

it.each(ways)(
  '%s sends them a whole file, small or large, as nginx does, and ends the connection',
  async (_, open) => {
    newSite();
    const port = await open();
    expect(await halfClosed(port, '/style.css')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nbody \{\}$/);
    const answer = await halfClosed(port, '/large.txt');
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(large.length);
    // both are known by now
    expect(await halfClosed(port, '/large.txt', '/style.css')).toMatch(
      /z\r?\n?HTTP\/1\.1 200 [\s\S]*body \{\}$/,
    );
  },
);

it.each(ways)('of %s a script’s client has left with the end of its side, as of nginx', async (_, open) => {
  newSite();
  const port = await open();
  const asked = fpm.next();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const heard = buffer(socket);
  socket.write('GET /index.php HTTP/1.1\r\nHost: a\r\n\r\n');
  const exchange = await asked;
  socket.end();
  await exchange.gone;
  expect(String(await heard)).toBe('');
});

it('by TLS it is the same', async () => {
  newSite(await localhostCertificate());
  const [url = ''] = await listener.listen([{ host: '127.0.0.1', port: 0, tls: true }]);
  const asked = async (path: string): Promise<string> => {
    const socket = connectTls({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    socket.allowHalfOpen = true;
    socket.end(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return (await buffer(socket)).toString('latin1');
  };
  expect(await asked('/style.css')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nbody \{\}$/);
  const answer = await asked('/large.txt');
  expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(large.length);
  expect(await asked('/index.php')).toBe('');
});

it('what was asked for before the script is sent', async () => {
  newSite();
  const [[, open]] = ways;
  const heard = await halfClosed(await open(), '/large.txt', '/index.php', '/style.css');
  expect(heard).toMatch(/^HTTP\/1\.1 200 /);
  expect(heard.length - heard.indexOf('\r\n\r\n') - 4).toBe(large.length);
  expect(fpm.exchanges.filter(({ aborted }) => !aborted)).toEqual([]);
});
