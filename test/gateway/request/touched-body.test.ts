/** Bodies that somebody in front of the gateway has read: PHP gets every byte, or the client a 500 and the log the reason. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import connect from 'connect';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import fastcgi from '../../../src/gateway/fastify.ts';
import { createFetchHandler } from '../../../src/gateway/fetch.ts';
import { createMiddleware } from '../../../src/gateway/koa.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { startFakeFpm } from '../../../src/testing/index.ts';
import { type Client, overHttp1, overHttp2 } from '../clients.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const require = createRequire(import.meta.url);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Says which body PHP got, and what it was told of its length. */
function php(): FakeDispatcher {
  return new FakeDispatcher(async (exchange) => {
    const body = await exchange.body();
    exchange.head(200, ['X-Length', exchange.params['CONTENT_LENGTH'] ?? 'none']);
    exchange.data(body.length === 0 ? '(nothing)' : body);
    exchange.end();
  });
}

interface Got {
  readonly status: number;
  readonly text: string;
  readonly length: unknown;
  readonly errors: readonly { code: string; message: string; hint: string }[];
}

// biome-ignore lint/suspicious/noExplicitAny: middlewares of three frameworks
type Middleware = any;

interface Bench {
  ask(body: Buffer | readonly Buffer[], headers?: Record<string, string>): Promise<Got>;
}

async function bench(
  serve: (dispatcher: FakeDispatcher, options: object) => Promise<Client>,
): Promise<Bench> {
  const site = tempSite({ 'a.php': '' });
  const errors: Got['errors'][number][] = [];
  const onError = (error: never): void => void errors.push(error);
  const client = await serve(php(), { root: site.root, onError });
  closing.push(() => client.close(), site.remove);
  return {
    async ask(body, headers = { 'content-type': 'application/json' }) {
      const got = await client.open({ path: '/a.php', method: 'POST', body, headers });
      const chunks: Buffer[] = [];
      for await (const chunk of got.body) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('latin1');
      return { status: got.status, text, length: got.headers['x-length'], errors };
    },
  };
}

const behind = {
  connect: (...middlewares: Middleware[]) =>
    bench((dispatcher, options) => {
      const app = connect();
      for (const middleware of [...middlewares, createHandler(dispatcher, options)]) app.use(middleware);
      return overHttp1(http.createServer(app));
    }),
  express: (...middlewares: Middleware[]) =>
    bench((dispatcher, options) =>
      overHttp1(http.createServer(express().use([...middlewares, createHandler(dispatcher, options)]))),
    ),
  koa: (...middlewares: Middleware[]) =>
    bench((dispatcher, options) => {
      const app = new Koa();
      for (const middleware of [...middlewares, createMiddleware(dispatcher, options)]) app.use(middleware);
      return overHttp1(http.createServer(app.callback()));
    }),
  /** The middleware runs as @fastify/middie and @fastify/express run theirs. */
  fastify: (middleware: Middleware) =>
    bench(async (dispatcher, options) => {
      const app = Fastify();
      app.addHook('onRequest', (request, reply, done) => {
        middleware(request.raw, reply.raw, done);
      });
      app.register(fastcgi, { dispatcher, ...options });
      await app.ready();
      app.server.listen(0, '127.0.0.1');
      await once(app.server, 'listening');
      return overHttp1(app.server);
    }),
  http2: (middleware: Middleware) =>
    bench((dispatcher, options) => {
      const handler = createHandler(dispatcher, options);
      return overHttp2(http2.createServer((req, res) => middleware(req, res, () => handler(req, res))));
    }),
};

/** As koa-connect has it. */
const nodeMiddleware =
  (middleware: Middleware): Middleware =>
  async ({ req, res }: Koa.Context, next: () => Promise<void>) => {
    await new Promise<void>((resolve, reject) =>
      middleware(req, res, (error: unknown) => (error ? reject(error) : resolve())),
    );
    await next();
  };

const json = Buffer.from('{"name":"caf\xc3\xa9"}', 'latin1');
const pieces = [json.subarray(0, 5), json.subarray(5)];
const whole = { status: 200, text: json.toString('latin1'), length: String(json.length), errors: [] };

/** Reads all, then goes on. */
const reads: Middleware = (request: http.IncomingMessage, _response: unknown, next: () => void) =>
  request.resume().on('end', next);

describe('a body that was read is never an empty one for PHP', () => {
  it.each<[string, () => Promise<Bench>, string]>([
    ['express.json()', () => behind.express(express.json()), 'a body parser'],
    ["Express 4's", () => behind.connect(require('express-4').json()), 'a body parser'],
    ['body-parser', () => behind.connect(require('body-parser').json()), 'a body parser'],
    ['a stream that is drained', () => behind.connect(reads), 'something in front'],
    ['setEncoding()', () => behind.connect(decodes), 'setEncoding'],
    ['HTTP/2', () => behind.http2(reads), 'something in front'],
  ])('%s', async (_, make, by) => {
    for (const body of [json, pieces]) {
      const { status, errors } = await (await make()).ask(body);
      expect(status).toBe(500);
      expect(errors).toEqual([
        expect.objectContaining({ code: 'FCGI_ERR_BODY_READ', message: expect.stringContaining(by) }),
      ]);
      expect(errors[0]?.hint).toContain('behind the PHP handler');
    }
  });

  it.each<[string, (parser: Middleware) => Promise<Bench>]>([
    ['Koa', (parser) => behind.koa(nodeMiddleware(parser))],
    ['Fastify', (parser) => behind.fastify(parser)],
  ])('by a connect middleware in %s', async (_, make) => {
    const { status, errors } = await (await make(express.json())).ask(json);
    expect(status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_BODY_READ' })]);
    expect(errors[0]?.message).toContain('a body parser');
  });

  it('multer', async () => {
    const type = 'multipart/form-data; boundary=x';
    const form = Buffer.from(
      '--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nbytes\r\n--x--\r\n',
    );
    const { ask } = await behind.express(require('multer')().any());
    expect(await ask(form, { 'content-type': type })).toMatchObject({
      status: 500,
      errors: [expect.objectContaining({ message: expect.stringContaining('an upload parser') })],
    });
  });

  it('of a Request', async () => {
    const errors: unknown[] = [];
    const handler = createFetchHandler(php(), {
      fpmRoot: '/srv',
      onError: (error) => void errors.push(error),
    });
    const request = new Request('http://a/a.php', { method: 'POST', body: 'x' });
    await request.text();
    expect((await handler(request)).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_BODY_READ' })]);
  });

  it.each<[string, (request: Request) => unknown]>([
    ['read', (request) => request.text()],
    ['being read', (request) => request.body?.getReader()],
  ])(
    'is no loss where a Request has none: one with Content-Length: 0 that was %s is PHP’s',
    async (_, take) => {
      const handler = createFetchHandler(php(), { fpmRoot: '/srv' });
      // as @hono/node-server makes it, which gives each POST a stream
      const request = new Request('http://a/a.php', {
        method: 'POST',
        headers: { 'Content-Length': '0' },
        body: new ReadableStream({ start: (stream) => stream.close() }),
        duplex: 'half',
      });
      await take(request);
      const response = await handler(request);
      expect([response.status, await response.text()]).toEqual([200, '(nothing)']);
    },
  );

  it.each([
    ['POST', 500, 'FCGI_ERR_BODY_READ'],
    ['GET', 400, 'FCGI_ERR_BODY_LENGTH'],
  ])('that the server has left out of a Request: %s is %i', async (method, status, code) => {
    const site = tempSite({ 'a.php': '' });
    closing.push(site.remove);
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const handler = createFetchHandler(pool, { root: site.root, onError });
    // as SvelteKit makes it of one without a Content-Type
    const request = new Request('http://a/a.php', { method, headers: { 'Content-Length': '3' } });
    expect((await handler(request)).status).toBe(status);
    expect(errors).toEqual([expect.objectContaining({ code })]);
    expect(fpm.requests).toEqual([]);
  });

  it('of a Request: the hint names what helps there, a copy', async () => {
    const hints: string[] = [];
    const onError = (error: unknown): void => void hints.push((error as { hint: string }).hint);
    const handler = createFetchHandler(php(), { fpmRoot: '/srv', onError });
    const make = (): Request => new Request('http://a/a.php', { method: 'POST', body: 'x' });
    const read = Object.assign(make(), { rawBody: Buffer.from('x') });
    await read.text();
    expect((await handler(read)).status).toBe(500);
    expect(hints).toEqual([expect.stringMatching(/^(?!.*rawBody).*request\.clone\(\)/)]);
    const copied = make();
    await copied.clone().text();
    expect(await (await handler(copied)).text()).toBe('x');
  });
});

const decodes: Middleware = (request: http.IncomingMessage, _response: unknown, next: () => void) => {
  request.setEncoding('utf8');
  next();
};

const listeners: Readonly<Record<string, Middleware>> = {
  'takes nothing': (request: http.IncomingMessage, _: unknown, next: () => void) => {
    request.on('readable', () => {});
    next();
  },
  'takes nothing, since a while': (request: http.IncomingMessage, _: unknown, next: () => void) => {
    request.on('readable', () => {}).once('readable', () => setImmediate(next));
  },
  'hears it once': (request: http.IncomingMessage, _: unknown, next: () => void) => {
    request.once('readable', () => {});
    next();
  },
  'reads all': (request: http.IncomingMessage, _: unknown, next: () => void) => {
    request.on('readable', () => {
      while (request.read() !== null);
    });
    next();
  },
};

describe('a body that can still be had comes to PHP, byte for byte', () => {
  const keepsRaw = {
    verify: (request: object, _res: unknown, bytes: Buffer) =>
      void Object.assign(request, { rawBody: bytes }),
  };

  it.each<[string, () => Promise<Bench>]>([
    ['where a parser has another type in mind', () => behind.express(express.urlencoded({ extended: true }))],
    ['as request.rawBody', () => behind.express(express.json(keepsRaw))],
    ['as rawBody by a connect middleware in Koa', () => behind.koa(nodeMiddleware(express.json(keepsRaw)))],
    ['as rawBody by a connect middleware in Fastify', () => behind.fastify(express.json(keepsRaw))],
    ['as the buffer of express.raw()', () => behind.express(express.raw({ type: '*/*' }))],
    ['as the text of koa-bodyparser', () => behind.koa(require('koa-bodyparser')())],
    [
      'where somebody listens to it',
      () =>
        behind.connect((request: http.IncomingMessage, _: unknown, next: () => void) => {
          request.on('data', () => {});
          next();
        }),
    ],
    ...['node:http', 'HTTP/2'].flatMap((over): [string, () => Promise<Bench>][] =>
      Object.entries(listeners).map(([how, listen]) => [
        `where somebody listens for 'readable' and ${how}, over ${over}`,
        () => (over === 'HTTP/2' ? behind.http2(listen) : behind.connect(listen)),
      ]),
    ),
    [
      'where it is piped somewhere else as well',
      () =>
        behind.connect((request: http.IncomingMessage, _: unknown, next: () => void) => {
          request.pipe(new PassThrough()).resume();
          next();
        }),
    ],
    [
      'where somebody listens, and removes all listeners at the end',
      () =>
        behind.connect((request: http.IncomingMessage, _: unknown, next: () => void) => {
          request.on('data', () => {}).on('end', () => request.removeAllListeners('data'));
          next();
        }),
    ],
    [
      'where somebody listens on HTTP/2',
      () =>
        behind.http2((request: http.IncomingMessage, _: unknown, next: () => void) => {
          request.on('data', () => {});
          next();
        }),
    ],
  ])('%s', async (_, make) => {
    for (const body of [json, pieces]) expect(await (await make()).ask(body)).toEqual(whole);
  });

  it("all of a large one, where somebody listens for 'readable' and takes nothing", async () => {
    const big = Buffer.alloc(5_000_000, 'x');
    const { ask } = await behind.connect(listeners['takes nothing']);
    expect((await ask(big)).length).toBe(String(big.length));
  });

  it('all of a large one that is shared, however slowly the other reads', async () => {
    const big = Buffer.alloc(5_000_000, 'x');
    const { ask } = await behind.connect((request: http.IncomingMessage, _: unknown, next: () => void) => {
      const slow = request.pipe(new PassThrough({ highWaterMark: 100 }));
      setImmediate(() => slow.resume());
      next();
    });
    expect((await ask(big)).length).toBe(String(big.length));
  });

  it('through Fastify, whatever its parsers are', async () => {
    const { ask } = await bench(async (dispatcher, options) => {
      const app = Fastify();
      app.addContentTypeParser('application/x', { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      );
      app.register(fastcgi, { dispatcher, ...options });
      await app.ready();
      app.server.listen(0, '127.0.0.1');
      await once(app.server, 'listening');
      return overHttp1(app.server);
    });
    expect(await ask(json)).toEqual(whole);
  });
});

it.each<[string, (request: http.IncomingMessage) => unknown]>([
  ['by a listener', (request) => request.on('data', () => {})],
  ['by a pipe', (request) => request.pipe(new PassThrough()).resume()],
  ['by resume()', (request) => request.resume()],
  ["by a listener for 'readable'", (request) => request.on('readable', () => request.read())],
  ['by an iterator', (request) => request.toArray()],
  ['by nobody, who removes all listeners', (request) => request.removeAllListeners('data')],
])('what somebody begins to take while it is being read for PHP is not lost: %s', async (_, begin) => {
  const { client, errors } = await half(() => {}, begin);
  const [response] = await once(client, 'response');
  expect([response.headers['x-length'], errors]).toEqual([String(json.length), []]);
  response.resume();
});

it('a body that a hook has begun to read when PHP is to have it as it comes: 500, and the log says who has it', async () => {
  const site = tempSite({ 'a.php': '' });
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  const errors: unknown[] = [];
  const handler = createFetchHandler(pool, {
    root: site.root,
    requestBuffering: false,
    onError: (error) => void errors.push(error),
    params: (request) => {
      void request.text();
      return {};
    },
  });
  const headers = { 'Content-Length': '3' };
  const answer = await handler(
    new Request('http://localhost/a.php', { method: 'POST', body: 'abc', headers }),
  );
  expect([answer.status, errors]).toEqual([500, [expect.objectContaining({ code: 'FCGI_ERR_BODY_READ' })]]);
  expect(fpm.requests).toEqual([]);
  site.remove();
});

it('a body of which the rest went to nobody, as all listeners were removed, is not taken for the whole', async () => {
  const { client, errors } = await half(
    (request) => request.on('data', () => {}),
    (request) => request.removeAllListeners('data'),
  );
  const [response] = await once(client, 'response');
  expect(response.statusCode).toBe(500);
  expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_BODY_READ' })]);
  response.resume();
});

/** `before` is called with a request of which half is here, and `then` when that half has been read for PHP. */
async function half(
  before: (request: http.IncomingMessage) => unknown,
  then: (request: http.IncomingMessage) => unknown,
): Promise<{ client: http.ClientRequest; errors: unknown[] }> {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const handler = createHandler(php(), { root: site.root, onError });
  const server = http.createServer((request, response) => {
    before(request);
    handler(request, response);
    setImmediate(() => {
      then(request);
      // not before: the rest comes when both of them read
      setImmediate(() => client.end(json.subarray(5)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = http.request({ port, path: '/a.php', method: 'POST', agent: false });
  client.write(json.subarray(0, 5));
  return { client, errors };
}

it('bytes that a parser has inflated are not the body that came', async () => {
  const zipped = gzipSync(json);
  const headers = { 'content-type': 'a/b', 'content-encoding': 'gzip' };
  for (const body of [zipped, [zipped]]) {
    const { ask } = await behind.express(express.raw({ type: '*/*' }));
    expect(await ask(body, headers)).toMatchObject({
      status: 500,
      errors: [expect.objectContaining({ code: 'FCGI_ERR_BODY_READ' })],
    });
  }
});

it.each([
  ['with a length of 0', Buffer.alloc(0)],
  ['in chunks', []],
])('an empty body %s has lost nothing, whoever has read it', async (_, body) => {
  const { ask } = await behind.connect(reads);
  expect(await ask(body)).toMatchObject({ status: 200, text: '(nothing)', errors: [] });
});
