/** The gateway among Koa's middlewares: they see, and change, its reply as they do a plain one. */
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import Koa, { type Context, type Middleware } from 'koa';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createMiddleware } from '../../../src/gateway/koa.ts';
import { answer, FakeDispatcher, type Play } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const require = createRequire(import.meta.url);
const text = '<p>café and so on</p>\n'.repeat(100);
const site = tempSite({ 'a.php': '', 'page.html': text, 'large.html': text.repeat(100) });
afterAll(site.remove);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const html = ['Content-Type', 'text/html; charset=UTF-8', 'Set-Cookie', 'php=1', 'X-Powered-By', 'PHP/8.2'];
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const plays: Readonly<Record<string, Play>> = {
  'at once': answer(201, html, text),
  'in pieces': async (exchange) => {
    exchange.head(201, [...html]);
    exchange.data(text.slice(0, 1000));
    await tick();
    exchange.data(text.slice(1000));
    exchange.end();
  },
};

const plain: Middleware = (ctx) => {
  ctx.status = 201;
  ctx.body = Buffer.from(text);
  ctx.set('Content-Type', 'text/html; charset=UTF-8');
  ctx.append('Set-Cookie', 'php=1');
  ctx.set('X-Powered-By', 'PHP/8.2');
};

async function get(
  make: (app: Koa) => void,
  version: typeof Koa,
  path = '/a.php',
  method = 'GET',
): Promise<{ response: http.IncomingMessage; body: string }> {
  const app = new version({ keys: ['a'] });
  app.silent = true;
  make(app);
  const server = http.createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const headers = { 'Accept-Encoding': 'gzip' };
  const request = http.get({ port, path, method, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const isZipped = response.headers['content-encoding'] === 'gzip';
  return { response, body: (isZipped ? gunzipSync(bytes) : bytes).toString() };
}

const php = (play: Play): Middleware =>
  createMiddleware(new FakeDispatcher(play), { root: site.root, files: true, xSendfile: [site.root] });
const handsOver = answer(200, ['Content-Type', 'text/html', 'X-Sendfile', join(site.root, 'page.html')]);

describe.each<[string, typeof Koa]>([
  ['Koa 3', Koa],
  ['Koa 2', require('koa-2')],
])('%s', (_version, version) => {
  describe.each(Object.entries(plays))('a page that comes %s', (_name, play) => {
    it('is ctx.status, ctx.body and the headers behind `await next()`, and can be changed there', async () => {
      const seen: unknown[] = [];
      const { response, body } = await get((app) => {
        app.use(async (ctx, next) => {
          ctx.set('X-Before', '1');
          await next();
          seen.push(ctx.status, ctx.headerSent, ctx.response.get('X-Powered-By'), ctx.body !== undefined);
          ctx.set('X-After', '1');
          ctx.cookies.set('node', '1');
        });
        app.use(php(play));
      }, version);
      expect(seen).toEqual([201, false, 'PHP/8.2', true]);
      expect(response.statusCode).toBe(201);
      expect(response.headers).toMatchObject({ 'x-before': '1', 'x-after': '1' });
      expect(response.headers['set-cookie']).toEqual(['php=1', expect.stringMatching(/^node=1/)]);
      expect(body).toBe(text);
    });

    it('koa-session sets its cookie beside PHP’s', async () => {
      const { default: session = require('koa-session'), createSession } = require('koa-session');
      const { response, body } = await get((app) => {
        app.use((createSession ?? session)({ key: 'sid' }, app));
        app.use(async (ctx: Context, next) => {
          Object.assign(ctx['session'], { views: 1 });
          await next();
        });
        app.use(php(play));
      }, version);
      expect(response.headers['set-cookie']?.map((cookie) => cookie.split('=')[0]).sort()).toEqual([
        'php',
        'sid',
        'sid.sig',
      ]);
      expect(body).toBe(text);
    });

    it('koa-compress compresses it', async () => {
      const compress = require('koa-compress');
      const { response, body } = await get(
        (app) => app.use((compress.default ?? compress)()).use(php(play)),
        version,
      );
      expect(response.headers['content-encoding']).toBe('gzip');
      expect(body).toBe(text);
    });

    it('koa-logger sees its status and that of a plain page alike', async () => {
      const logger = require('koa-logger');
      const lines = async (middleware: Middleware): Promise<string[]> => {
        const seen: string[] = [];
        const transporter = (_text: string, [, method, url, status]: string[]): void =>
          void seen.push([method, url, status].join(' '));
        await get((app) => app.use((logger.default ?? logger)({ transporter })).use(middleware), version);
        await tick();
        return seen;
      };
      expect(await lines(php(play))).toEqual(await lines(plain));
    });

    it('a body that a middleware replaces ends the script', async () => {
      const dispatcher = new FakeDispatcher((exchange) => {
        exchange.head(200, ['Content-Type', 'text/html']);
      });
      const asked = dispatcher.next();
      const { body } = await get((app) => {
        app.use(async (ctx, next) => {
          await next();
          ctx.body = 'other';
        });
        app.use(createMiddleware(dispatcher, { root: site.root }));
      }, version);
      expect(body).toBe('other');
      await (await asked).gone;
    });
  });

  it.each<[string, Play, string, string]>([
    ['a file that PHP hands over', handsOver, '/a.php', text],
    ['a file of the site', answer(500, []), '/page.html', text],
    ['a large file of the site', answer(500, []), '/large.html', text.repeat(100)],
  ])(
    '%s is ctx.body as any other, with cookies, session and compression',
    async (_name, play, path, content) => {
      const { default: session = require('koa-session'), createSession } = require('koa-session');
      const compress = require('koa-compress');
      const seen: unknown[] = [];
      const { response, body } = await get(
        (app) => {
          app.use(async (ctx, next) => {
            await next();
            seen.push(ctx.status, ctx.headerSent, ctx.type);
            ctx.set('X-After', '1');
            ctx.cookies.set('node', '1');
          });
          app.use((compress.default ?? compress)({ threshold: 100 }));
          app.use((createSession ?? session)({ key: 'sid' }, app));
          app.use(async (ctx: Context, next) => {
            Object.assign(ctx['session'], { views: 1 });
            await next();
          });
          app.use(php(play));
        },
        version,
        path,
      );
      expect(seen).toEqual([200, false, 'text/html']);
      expect(response.headers).toMatchObject({ 'x-after': '1', 'content-encoding': 'gzip' });
      expect(response.headers['set-cookie']?.map((cookie) => cookie.split('=')[0]).sort()).toEqual([
        'node',
        'sid',
        'sid.sig',
      ]);
      expect(body).toBe(content);
    },
  );

  it('events are not held back by koa-compress', async () => {
    const compress = require('koa-compress');
    const { response, body } = await get((app) => {
      app.use((compress.default ?? compress)({ threshold: 1 }));
      app.use(php(answer(200, ['Content-Type', 'text/event-stream'], 'data: 1\n\n')));
      app.use(plain);
    }, version);
    // sent at once it is a page like any other
    expect(body).toBe('data: 1\n\n');
    expect(response.headers['content-encoding']).toBeUndefined();
  });

  it.each([text, ''])('a page that is here as a whole has its length, ctx.length too (%#)', async (page) => {
    const seen: unknown[] = [];
    const { response, body } = await get((app) => {
      app.use(async (ctx, next) => {
        await next();
        seen.push(ctx.length);
      });
      app.use(php(answer(200, html, page)));
    }, version);
    const { length } = Buffer.from(page);
    expect(seen).toEqual([length]);
    expect(response.headers).toMatchObject({ 'content-length': String(length) });
    expect(response.headers).not.toHaveProperty('transfer-encoding');
    expect(body).toBe(page);
  });

  it.each(['/a.php', '/page.html'])(
    'the answer to HEAD %s is a stream of bytes, which koa-json does not take for one of objects',
    async (path) => {
      const seen: unknown[] = [];
      const { response } = await get(
        (app) => {
          app.use(async (ctx, next) => {
            await next();
            seen.push((ctx.body as Readable).readableObjectMode);
          });
          app.use(php(answer(200, html, text)));
        },
        version,
        path,
        'HEAD',
      );
      expect(response.statusCode).toBe(200);
      expect(seen).toEqual([false]);
    },
  );

  it('an error of ours passes the middlewares in front as well', async () => {
    const { response } = await get((app) => {
      app.use(async (ctx, next) => {
        await next();
        ctx.set('X-After', String(ctx.status));
      });
      app.use(php((exchange) => exchange.fail(new Error('gone'))));
    }, version);
    expect(response.statusCode).toBe(502);
    expect(response.headers['x-after']).toBe('502');
  });
});
