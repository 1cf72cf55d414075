/** What is Koa's own: the order of middlewares, what they see, what they set. The rest is in the contract. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import Koa from 'koa';
import { afterEach, expect, it } from 'vitest';
import { FcgiError } from '../../src/errors.ts';
import { createMiddleware } from '../../src/gateway/koa.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { rawServer } from './raw.ts';
import { tempSite } from './temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Bench {
  readonly app: Koa;
  readonly php: FakeDispatcher;
  /** Adds PHP behind what `app` has by now. */
  usePhp(): void;
  ask(path: string): Promise<Response>;
}

async function listening<S extends Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return server;
}

function bench(play?: Play): Bench {
  const site = tempSite({ 'index.php': '', 'a.php': '', 'sub/index.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher(play);
  const app = new Koa();
  app.silent = true;
  return {
    app,
    php,
    usePhp: () => void app.use(createMiddleware(php, { root: site.root })),
    async ask(path) {
      const server = await listening(http.createServer(app.callback()));
      const { port } = server.address() as AddressInfo;
      return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
    },
  };
}

it('what runs behind `await next()` finds a reply of Koa’s, not sent yet', async () => {
  const { app, usePhp, ask } = bench(answer(418, ['Content-Type', 'text/plain'], 'tea'));
  const seen = new Promise((resolve) => {
    app.use(async (ctx, next) => {
      await next();
      resolve([ctx.status, ctx.type, ctx.headerSent, String(ctx.body)]);
    });
  });
  usePhp();
  expect(await (await ask('/a.php')).text()).toBe('tea');
  expect(await seen).toEqual([418, 'text/plain', false, 'tea']);
});

it('headers of earlier middlewares are sent beside those of PHP, cookies of both', async () => {
  const { app, usePhp, ask } = bench(answer(200, ['X-B', 'php', 'Set-Cookie', 'p=1'], 'page'));
  app.use((ctx, next) => {
    ctx.set({ 'X-A': 'koa', 'X-B': 'koa' });
    ctx.cookies.set('k', '1');
    return next();
  });
  usePhp();
  const { headers } = await ask('/a.php');
  expect([headers.get('x-a'), headers.get('x-b')]).toEqual(['koa', 'php']);
  expect(headers.getSetCookie()).toEqual(['k=1; path=/; httponly', 'p=1']);
});

it("a status that a middleware set before leaves no phrase beside PHP's", async () => {
  const { app, usePhp } = bench(answer(404, [], 'gone'));
  app.use((ctx, next) => {
    ctx.status = 200;
    return next();
  });
  usePhp();
  const server = await rawServer(app.callback() as Parameters<typeof rawServer>[0]);
  closing.push(() => server.close());
  const { text } = await server.exchange('GET /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
});

it("what is not PHP's comes to the next middleware, which answers in Koa's way", async () => {
  const { app, usePhp, ask } = bench();
  usePhp();
  app.use((ctx) => {
    ctx.body = { path: ctx.path };
  });
  expect(await (await ask('/none')).json()).toEqual({ path: '/none' });
});

it('a site that is mounted has its mount in SCRIPT_NAME, as with koa-mount', async () => {
  const { app, php, usePhp, ask } = bench();
  app.use((ctx, next) => {
    // all that koa-mount does
    ctx.path = ctx.path.slice('/blog'.length) || '/';
    return next();
  });
  usePhp();
  expect((await ask('/blog/a.php/x?y=1')).status).toBe(200);
  expect(php.params).toMatchObject({
    SCRIPT_NAME: '/blog/a.php',
    PATH_INFO: '/x',
    REQUEST_URI: '/blog/a.php/x?y=1',
  });
  expect((await ask('/blog')).headers.get('location')).toBe('/blog/');
});

it("the application's event `error` tells what failed, and nothing of what a client did wrong", async () => {
  const reason = new FcgiError('FCGI_ERR_SOCKET_CLOSED', 'gone');
  const { app, usePhp, ask } = bench((exchange) => exchange.fail(reason));
  const errors: unknown[] = [];
  app.on('error', (error, ctx) => errors.push([error, ctx.url]));
  usePhp();
  expect((await ask('/a.php')).status).toBe(502);
  expect((await ask('/a%00.php')).status).toBe(400);
  expect(errors).toEqual([[reason, '/a.php']]);
});

it.each(['HTTP/1', 'HTTP/2'])(
  'a client that left while a middleware was busy holds nothing (%s)',
  async (protocol) => {
    const { app, php, usePhp } = bench(() => {});
    const errors: unknown[] = [];
    app.on('error', (error) => errors.push(error));
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const settled = new Promise<void>((resolve) => {
      app.use(async (ctx, next) => {
        arrived();
        await once(ctx.res, 'close');
        await next();
        resolve();
      });
    });
    usePhp();
    if (protocol === 'HTTP/1') {
      const server = await listening(http.createServer(app.callback()));
      const { port } = server.address() as AddressInfo;
      const request = http.get({ port, host: '127.0.0.1', path: '/a.php', agent: false });
      request.on('error', () => {});
      await arrival;
      request.destroy();
    } else {
      const server = await listening(http2.createServer(app.callback() as never));
      const { port } = server.address() as AddressInfo;
      const session = http2.connect(`http://127.0.0.1:${port}`);
      closing.push(() => session.destroy());
      const stream = session.request({ ':path': '/a.php' });
      stream.on('error', () => {});
      await arrival;
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    await settled;
    expect(errors).toEqual([]);
    expect(php.exchanges).toHaveLength(0);
  },
);

it('a large page to a slow client leaves room for the listeners of others: node warns of an eleventh', async () => {
  const { app, usePhp } = bench(async (exchange) => {
    exchange.head(200);
    for (let i = 0; i < 40 && !exchange.aborted; i++) {
      await exchange.resumed();
      exchange.data(Buffer.alloc(262_144));
    }
    exchange.end();
  });
  const listeners = new Promise<number>((resolve) => {
    app.use(async (ctx, next) => {
      // as a log does
      ctx.res.on('close', () => {});
      await next();
      ctx.res.on('drain', () => resolve(ctx.res.listenerCount('close')));
    });
  });
  usePhp();
  const server = await listening(http.createServer(app.callback()));
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/a.php`);
  expect((await response.arrayBuffer()).byteLength).toBe(40 * 262_144);
  expect(await listeners).toBeLessThanOrEqual(10);
});

it('options that cannot be are an error when the middleware is made', () => {
  expect(() => createMiddleware(new FakeDispatcher(), { root: '/nowhere' })).toThrow(/^Option root /);
});
