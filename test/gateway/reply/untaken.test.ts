/** Clients that ask, and take nothing of answers that are short. */
import { EventEmitter, once } from 'node:events';
import http, { type Server } from 'node:http';
import http2, { connect, type Http2Server } from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import fastify from 'fastify';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import fastcgi from '../../../src/gateway/fastify.ts';
import { createMiddleware } from '../../../src/gateway/koa.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { within } from '../../fpm/support/wait.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const sendTimeout = 100;
const long = 60_000;

const paths = [
  ['a page', '/a.php'],
  ['a file', '/small.txt'],
  ['a page of our own', '/.htaccess'],
] as const;

interface Site {
  readonly php: FakeDispatcher;
  readonly options: Parameters<typeof createHandler>[1];
}

function siteOf(): Site {
  const site = tempSite({ 'a.php': '', 'small.txt': 'x'.repeat(long) });
  closing.push(site.remove);
  const php = new FakeDispatcher((exchange) => {
    exchange.head(200, ['Content-Type', 'text/plain']);
    exchange.data(Buffer.alloc(long));
    exchange.end();
  });
  const errorPage = (): { body: string } => ({ body: 'x'.repeat(long) });
  return { php, options: { root: site.root, files: true, sendTimeout, errorPage, onError: () => {} } };
}

const servers = {
  'node:http': ({ php, options }: Site) => http.createServer(createHandler(php, options)),
  'node:http2': ({ php, options }: Site) => http2.createServer(createHandler(php, options)),
  Koa: (site: Site) => http.createServer(koa(site)),
  'Koa on HTTP/2': (site: Site) => http2.createServer(koa(site) as never),
};

function koa({ php, options }: Site): ReturnType<Koa['callback']> {
  const app = new Koa();
  app.silent = true;
  return app.use(createMiddleware(php, options as never)).callback();
}

async function portOf(server: Server | Http2Server): Promise<number> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Opens no window for what it asks. */
async function stalledStream(port: number, path: string): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  closing.push(() => session.destroy());
  const stream = session.request({ ':path': path });
  const broken = once(stream, 'error');
  await once(stream, 'response');
  await within(broken, 5000, 'the end of the stream');
}

/** Asks for far more than the system takes on its way, and reads nothing of it. */
async function stalledConnection(server: Server, port: number, path: string): Promise<void> {
  const closed = new Promise((resolve) => {
    server.once('connection', (socket) => socket.once('close', resolve));
  });
  const socket = connectSocket(port, '127.0.0.1').on('error', () => {});
  closing.push(() => socket.destroy());
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(300));
  await within(closed, 5000, 'the end of the connection');
}

describe.each(paths)('%s of which its client takes nothing for sendTimeout is given up', (_, path) => {
  it.each(['node:http2', 'Koa on HTTP/2'] as const)('through %s', async (name) => {
    await stalledStream(await portOf(servers[name](siteOf())), path);
  });

  it.each(['node:http', 'Koa'] as const)('through %s', async (name) => {
    const server = servers[name](siteOf()) as Server;
    await stalledConnection(server, await portOf(server), path);
  });

  it('through Fastify', async () => {
    const { php, options } = siteOf();
    const app = fastify();
    closing.push(() => app.close());
    await app.register(fastcgi, { ...options, dispatcher: php } as never);
    await app.listen({ port: 0, host: '127.0.0.1' });
    await stalledConnection(app.server, (app.server.address() as AddressInfo).port, path);
  });
});

it('a response that was made up for the handler has no client who could be slow', async () => {
  const { php, options } = siteOf();
  const response = Object.assign(new EventEmitter(), {
    setHeader: () => {},
    getHeader: () => undefined,
    hasHeader: () => false,
    removeHeader: () => {},
    getHeaderNames: () => [],
    writeHead: () => {},
    write: () => true,
    end: () => void response.emit('ended'),
  });
  const ended = once(response, 'ended');
  const request = { method: 'GET', url: '/a.php', headers: {}, httpVersion: '1.1', complete: true };
  createHandler(php, options)(request as never, response as never);
  await ended;
  // what it throws in the next turn would end the process
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(php.exchanges).toHaveLength(1);
});

it('a middleware that is busy with a page for longer than sendTimeout is waited for', async () => {
  const { php, options } = siteOf();
  const app = new Koa();
  app.use(async (ctx, next) => {
    await next();
    // the timer of the connection has struck
    await once(ctx.res, 'timeout');
  });
  app.use(createMiddleware(php, options as never));
  const port = await portOf(http.createServer(app.callback()));
  const response = await fetch(`http://127.0.0.1:${port}/a.php`);
  expect(await response.text()).toHaveLength(long);
});
