/** The gateway among Fastify's plugins: hooks, cookies, sessions and compression do to its reply what they do to any. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import fastcgi from '../../../src/gateway/fastify.ts';
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

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Over a socket, and not by inject(): that has no bytes. */
async function get(app: FastifyInstance, play: Play, path = '/a.php'): Promise<Got> {
  const options = { root: site.root, files: true, xSendfile: [site.root] };
  app.register(fastcgi, { dispatcher: new FakeDispatcher(play), ...options });
  closing.push(() => app.close());
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const response = await fetch(origin + path, { headers: { 'accept-encoding': 'gzip' } });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body: bytes.toString() };
}

describe.each(Object.entries(plays))('a page that comes %s', (_name, play) => {
  it('passes onSend, which may add headers and change the page, and onResponse', async () => {
    const app = Fastify();
    const seen: unknown[] = [];
    app.addHook('onRequest', async (_request, reply) => void reply.header('x-early', '1'));
    app.addHook('onSend', async (_request, reply, payload) => {
      seen.push(reply.statusCode, reply.getHeader('x-powered-by'));
      reply.header('x-late', '1');
      return payload;
    });
    const responded = new Promise((resolve) => {
      app.addHook('onResponse', async (_request, reply) => resolve(reply.statusCode));
    });
    const { status, headers, body } = await get(app, play);
    expect(seen).toEqual([201, 'PHP/8.2']);
    expect(status).toBe(201);
    expect(await responded).toBe(201);
    expect([headers.get('x-early'), headers.get('x-late')]).toEqual(['1', '1']);
    expect(body).toBe(text);
  });

  it('has the cookies of reply.setCookie beside PHP’s', async () => {
    const app = Fastify();
    app.register(require('@fastify/cookie'));
    app.addHook('preHandler', async (_request, reply) => {
      (reply as unknown as { setCookie(name: string, value: string): void }).setCookie('node', '2');
    });
    const { headers, body } = await get(app, play);
    expect(
      headers
        .getSetCookie()
        .map((cookie) => cookie.split('=')[0])
        .sort(),
    ).toEqual(['node', 'php']);
    expect(body).toBe(text);
  });

  it('has the cookie of @fastify/session', async () => {
    const app = Fastify();
    app.register(require('@fastify/cookie'));
    app.register(require('@fastify/session'), { secret: 's'.repeat(32), cookie: { secure: false } });
    app.addHook('preHandler', async (request) => {
      Object.assign((request as unknown as { session: object }).session, { views: 1 });
    });
    const { headers, body } = await get(app, play);
    expect(
      headers
        .getSetCookie()
        .map((cookie) => cookie.split('=')[0])
        .sort(),
    ).toEqual(['php', 'sessionId']);
    expect(body).toBe(text);
  });

  it('is compressed by @fastify/compress', async () => {
    const app = Fastify();
    await app.register(require('@fastify/compress'));
    // fetch() unzips
    const { headers, body } = await get(app, play);
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(body).toBe(text);
  });

  it('comes through Fastify 4', async () => {
    const app = require('fastify-4')() as FastifyInstance;
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-late', '1');
      return payload;
    });
    const { status, headers, body } = await get(app, play);
    expect([status, headers.get('x-late'), headers.getSetCookie(), body]).toEqual([
      201,
      '1',
      ['php=1'],
      text,
    ]);
  });
});

it.each([
  ['text/event-stream', ['Content-Type', 'text/event-stream']],
  ['X-Accel-Buffering: no', ['Content-Type', 'text/html', 'X-Accel-Buffering', 'no']],
])('%s is not held back by @fastify/compress', async (_, fields) => {
  const app = Fastify();
  await app.register(require('@fastify/compress'), { threshold: 0 });
  const { headers, body } = await get(app, answer(200, fields, 'data: 1\n\n'));
  expect(headers.get('content-encoding')).toBeNull();
  expect(body).toBe('data: 1\n\n');
});

it('an error of ours passes the hooks as well', async () => {
  const app = Fastify();
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('x-late', '1');
    return payload;
  });
  const { status, headers } = await get(app, (exchange) => exchange.fail(new Error('gone')));
  expect([status, headers.get('x-late')]).toEqual([502, '1']);
});

it('a hook that throws answers in PHP’s place, and the script ends', async () => {
  const app = Fastify();
  let isFirst = true;
  app.addHook('onSend', async (_request, _reply, payload) => {
    if (!isFirst) return payload;
    isFirst = false;
    throw new Error('no');
  });
  const dispatcher = new FakeDispatcher((exchange) => exchange.head(200, ['Content-Type', 'text/html']));
  const asked = dispatcher.next();
  app.register(fastcgi, { dispatcher, root: site.root });
  closing.push(() => app.close());
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  expect((await fetch(`${origin}/a.php`)).status).toBe(500);
  await (await asked).gone;
});

const handsOver = answer(200, ['Content-Type', 'text/html', 'X-Sendfile', join(site.root, 'page.html')]);

describe.each<[string, Play, string, string]>([
  ['a file that PHP hands over', handsOver, '/a.php', text],
  ['a file of the site', answer(500, []), '/page.html', text],
  ['a large file of the site', answer(500, []), '/large.html', text.repeat(100)],
])('%s', (_name, play, path, content) => {
  it('passes the hooks, with cookies, session and compression', async () => {
    const app = Fastify();
    await app.register(require('@fastify/compress'));
    app.register(require('@fastify/cookie'));
    app.register(require('@fastify/session'), { secret: 's'.repeat(32), cookie: { secure: false } });
    app.addHook('preHandler', async (request, reply) => {
      Object.assign((request as unknown as { session: object }).session, { views: 1 });
      (reply as unknown as { setCookie(name: string, value: string): void }).setCookie('node', '2');
    });
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-late', String(reply.statusCode));
      return payload;
    });
    const { status, headers, body } = await get(app, play, path);
    expect([status, headers.get('x-late'), headers.get('content-encoding')]).toEqual([200, '200', 'gzip']);
    expect(
      headers
        .getSetCookie()
        .map((cookie) => cookie.split('=')[0])
        .sort(),
    ).toEqual(['node', 'sessionId']);
    expect(body).toBe(content);
  });

  it('comes through Fastify 4', async () => {
    const app = require('fastify-4')() as FastifyInstance;
    app.addHook('onSend', async (_request, reply) => void reply.header('x-late', '1'));
    const { status, headers, body } = await get(app, play, path);
    expect([status, headers.get('x-late'), body]).toEqual([200, '1', content]);
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(content)));
  });
});
