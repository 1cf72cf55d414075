/** Mount points, wildcards, rewritten URLs and guards, in the frameworks themselves. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, describe, expect, it } from 'vitest';
import fastcgi from '../../../src/gateway/fastify.ts';
import { createFetchHandler } from '../../../src/gateway/fetch.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { rawServer } from '../raw.ts';
import { tempSite } from '../temp-site.ts';

const names = ['app.php', '\u00e4.php', 'index.php', 'a/b.php', 'admin/x.php', 'blog/index.php'];
const site = tempSite(Object.fromEntries(names.map((name) => [name, ''])));
afterAll(() => site.remove());
const options = { root: site.root, index: 'index.php' };

/** The status, and what PHP is told: script, query and URI. */
async function told(listener: RequestListener, php: FakeDispatcher, path: string): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const before = php.exchanges.length;
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
  server.closeAllConnections();
  server.close();
  if (php.exchanges.length === before)
    return `${response.status} ${response.headers.get('location') ?? ''}`.trim();
  const { SCRIPT_NAME, QUERY_STRING, REQUEST_URI } = php.params;
  return `${SCRIPT_NAME} ${QUERY_STRING} ${REQUEST_URI}`;
}

describe('Express', () => {
  it.each([
    ['/*splat', '/a/b.php?q', '/a/b.php q /a/b.php?q'],
    ['/*splat', '/a', '404'],
    ['/*splat', '/blog', '301 /blog/'],
    ['/*splat', '/blog/', '/blog/index.php  /blog/'],
    ['/*splat', '/blog/?q', '/blog/index.php q /blog/?q'],
    ['/*splat', '/none/', '404'],
    ['/m/*splat', '/m/blog/', '/m/blog/index.php  /m/blog/'],
    ['/{*path}', '/blog/', '/blog/index.php  /blog/'],
    [/(.*)/, '/blog/', '/blog/index.php  /blog/'],
    [/^\/(?!api)(.*)/, '/a/b.php?q', '/a/b.php q /a/b.php?q'],
    [/^\/(?!api)(.*)/, '/api/a.php', '404'],
    [/^\/(m|n)(?=\/|$)/, '/m/', '/m/index.php  /m/'],
    [/^\/(m|n)(?=\/|$)/, '/n/a/b.php', '/n/a/b.php  /n/a/b.php'],
    ['/m/*splat', '/m/a/b.php', '/m/a/b.php  /m/a/b.php'],
    ['/{*path}', '/app.php', '/app.php  /app.php'],
    ['/m/:id', '/m/7/app.php', '/m/7/app.php  /m/7/app.php'],
    ['/m', '/m', '301 /m/'],
    ['/m', '/m/', '/m/index.php  /m/'],
  ])('app.use(%j, site) for %s: %s', async (mount, path, expected) => {
    const php = new FakeDispatcher();
    const app = express().use(mount, createHandler(php, options));
    expect(await told(app, php, path)).toBe(expected);
  });

  it.each([
    ['*', '/a/b.php?q', '/a/b.php q /a/b.php?q'],
    ['/*', '/a/b.php?q', '/a/b.php q /a/b.php?q'],
    ['*', '/', '/index.php  /'],
    ['*', '/blog/', '/blog/index.php  /blog/'],
    ['*', '/none/', '404'],
    ['/*', '/blog/?q', '/blog/index.php q /blog/?q'],
    ['/m*', '/m/', '/m/index.php  /m/'],
    ['/m*', '/m/blog/', '/m/blog/index.php  /m/blog/'],
    ['/m/*', '/m/a/b.php', '/m/a/b.php  /m/a/b.php'],
    ['/m*', '/m/a/b.php', '/m/a/b.php  /m/a/b.php'],
    ['/a*', '/admin/x.php', '/admin/x.php  /admin/x.php'],
    ['/m', '/m', '301 /m/'],
  ])('4: app.use(%j, site) for %s: %s', async (mount, path, expected) => {
    const php = new FakeDispatcher();
    const app = createRequire(import.meta.url)('express-4')().use(mount, createHandler(php, options));
    expect(await told(app, php, path)).toBe(expected);
  });

  it.each([
    ['5', '/*splat', express],
    ['4', '*', createRequire(import.meta.url)('express-4')],
  ])(
    '%s: behind app.use(%j, site) a folder has its own index, and not that of the root',
    async (_, mount, make) => {
      const php = new FakeDispatcher();
      await told(make().use(mount, createHandler(php, options)), php, '/blog/');
      expect(php.params['SCRIPT_FILENAME']).toBe(`${site.root}/blog/index.php`);
    },
  );

  it.each(['', '/m'])('a URL rewritten below %j has script and query of the new one', async (mount) => {
    const php = new FakeDispatcher();
    const inner = express.Router();
    inner.use((req, _res, next) => {
      req.url = '/app.php?id=7';
      next();
    });
    inner.use(createHandler(php, options));
    const app = express().use(mount === '' ? '/' : mount, inner);
    expect(await told(app, php, `${mount}/item/7?x`)).toBe(`${mount}/app.php id=7 ${mount}/item/7?x`);
  });
});

it('Fastify: rewriteUrl is a rewrite', async () => {
  const php = new FakeDispatcher();
  const app = fastify({ rewriteUrl: (req) => (req.url === '/item/7' ? '/app.php?id=7' : (req.url ?? '/')) });
  await app.register(fastcgi, { dispatcher: php, ...options });
  await app.ready();
  expect(await told(app.routing, php, '/item/7')).toBe('/app.php id=7 /item/7');
  await app.close();
});

describe('Fastify with @fastify/express, which decodes the URL of each request', () => {
  it.each<[string, string, string]>([
    ['', '/app.php?x=100%25&y=%2541', '/app.php x=100%25&y=%2541 /app.php?x=100%25&y=%2541'],
    ['', '/app.php?x=%C3%A4', '/app.php x=%C3%A4 /app.php?x=%C3%A4'],
    ['', '/app.php/100%25', '/app.php  /app.php/100%25'],
    // params are bytes
    ['', '/%C3%A4.php', '/\u00c3\u00a4.php  /%C3%A4.php'],
    ['', '/%2561dmin/x.php', '404'],
    ['', '/%61dmin/x.php', '308 /admin/x.php'],
    ['', '//admin/x.php', '308 /admin/x.php'],
    ['', '/item/7?x=%25', '/app.php id=7 /item/7?x=%25'],
    ['/blog', '/blog/app.php?x=100%25', '/blog/app.php x=100%25 /blog/app.php?x=100%25'],
  ])('at %j: %s is %s', async (prefix, path, expected) => {
    const php = new FakeDispatcher();
    const app = fastify({ routerOptions: { ignoreDuplicateSlashes: true } });
    app.addHook('onRequest', (request, _reply, next) => {
      const { raw } = request;
      const { url = '/' } = raw;
      const decoded = decodeURI(url).replace(/\/{2,}/g, '/');
      Object.assign(raw, {
        originalUrl: url,
        url: decoded.startsWith('/item/7') ? '/app.php?id=7' : decoded,
      });
      next();
    });
    await app.register(fastcgi, { dispatcher: php, ...options, prefix });
    await app.ready();
    expect(await told(app.routing, php, path)).toBe(expected);
    await app.close();
  });
});

it('Hono: app.mount takes the mount off the URL, and the option says which it was', async () => {
  const php = new FakeDispatcher();
  const handler = createFetchHandler(php, { ...options, mount: '/blog' });
  const app = new Hono().mount('/blog', (request) => handler(request));
  await app.request('http://x:18640/blog/a/b.php?q');
  expect(php.params).toMatchObject({
    SCRIPT_NAME: '/blog/a/b.php',
    SCRIPT_FILENAME: `${site.root}/a/b.php`,
    REQUEST_URI: '/blog/a/b.php?q',
    SERVER_PORT: '18640',
  });
});

const ways = [
  '/admin/x.php',
  '//admin/x.php',
  '/admin%2fx.php',
  '/./admin/x.php',
  '/%61dmin/x.php',
  '/a/../admin/x.php',
];

describe('a guard in front holds', () => {
  it.each(ways)('in Express, for %s', async (way) => {
    const php = new FakeDispatcher();
    const app = express();
    app.use('/admin', (_req, res) => void res.status(403).end());
    app.use(createHandler(php, options));
    const server = await rawServer((req, res) => app(req as IncomingMessage, res as ServerResponse));
    const { text } = await server.exchange(`GET ${way} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    await server.close();
    expect(text).toMatch(
      way === ways[0] ? /^HTTP\/1\.1 403 / : /^HTTP\/1\.1 308 [\s\S]*\r\nLocation: \/admin\/x\.php\r\n/,
    );
    expect(php.exchanges).toEqual([]);
  });
});
