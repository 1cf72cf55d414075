/** Each callback of a request runs in the async context of its own request, through every adapter, over a kept connection. */
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import http2 from 'node:http2';
import connect from 'connect';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fastcgi from '../../src/gateway/fastify.ts';
import { createFetchHandler } from '../../src/gateway/fetch.ts';
import { createMiddleware } from '../../src/gateway/koa.ts';
import { createHandler } from '../../src/gateway/node.ts';
import { Pool } from '../../src/index.ts';
import { type Fpm, startFpm } from '../fpm/support/index.ts';
import type { AnyOptions } from './adapters.ts';
import { type Client, direct, overHttp1, overHttp2 } from './clients.ts';

const store = new AsyncLocalStorage<string>();
let fpm: Fpm;
let pool: Pool;
beforeAll(async () => {
  fpm = await startFpm({
    maxChildren: 1,
    files: {
      'a.php': '<?php error_log("note"); echo "page";',
      'late.php': '<?php echo "one"; flush(); usleep(20000); error_log("late"); echo "two";',
      'short.php': '<?php header("Content-Length: 100"); echo "short"; flush(); usleep(20000);',
    },
  });
  // all requests on one connection: whoever opened it must not lend the others his context
  pool = new Pool(fpm.address, { connections: 1 });
});
afterAll(async () => {
  await pool?.destroy();
  await fpm?.stop();
});

type Note = (url: string, what: string) => void;

/** Runs `next` as the request `url`, and notes what the framework itself says of it. */
type Enter = (url: string, next: () => unknown) => unknown;

const enter: Enter = (url, next) => store.run(url, next);

function watched(note: Note, request: { url?: string | undefined }, response: NodeJS.EventEmitter): void {
  const url = request.url ?? '';
  response.on('finish', () => note(url, 'finish'));
}

type Serve = (options: AnyOptions, note: Note) => Promise<Client>;

const entering =
  (note: Note) =>
  (request: http.IncomingMessage, response: http.ServerResponse, next: () => void): void => {
    enter(request.url ?? '', () => {
      watched(note, request, response);
      next();
    });
  };

const adapters: Readonly<Record<string, Serve>> = {
  'node:http': async (options, note) => {
    const php = createHandler(pool, options);
    return overHttp1(http.createServer((req, res) => entering(note)(req, res, () => php(req, res))));
  },
  // its response ends in a context of node's own, whoever answers
  'node:http2': async (options) => {
    const php = createHandler(pool, options);
    return overHttp2(http2.createServer((req, res) => store.run(req.url, () => php(req, res))));
  },
  connect: async (options, note) =>
    overHttp1(http.createServer(connect().use(entering(note)).use(createHandler(pool, options)))),
  Express: async (options, note) =>
    overHttp1(http.createServer(express().use(entering(note)).use(createHandler(pool, options)))),
  Koa: async (options, note) => {
    const app = new Koa();
    app.use((ctx, next) =>
      store.run(ctx.url, async () => {
        // Koa itself ends the response, when the middlewares are through
        await next();
        note(ctx.url, 'behind next');
      }),
    );
    app.use(createMiddleware(pool, options));
    return overHttp1(http.createServer(app.callback()));
  },
  Fastify: async (options, note) => {
    const app = Fastify();
    app.addHook('onRequest', (request, reply, done) => {
      store.run(request.url, () => {
        watched(note, request.raw, reply.raw);
        done();
      });
    });
    app.addHook('onSend', async (request, _reply, payload) => {
      note(request.url, 'onSend');
      return payload;
    });
    app.addHook('onResponse', async (request) => note(request.url, 'onResponse'));
    app.register(fastcgi, { dispatcher: pool, ...options });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return overHttp1(app.server);
  },
  fetch: async (options) => {
    const php = createFetchHandler(pool, options);
    return direct((request) => {
      const { pathname, search } = new URL(request.url);
      return store.run(pathname + search, () => php(request));
    });
  },
};

describe.each(Object.entries(adapters))('through %s', (_name, serve) => {
  it('onStderr, onEnd, onError, params and the response itself have the context of their own request', async () => {
    const seen: { url: string; what: string; context: string | undefined }[] = [];
    const note: Note = (url, what) => void seen.push({ url, what, context: store.getStore() });
    const path = ({ url = '' }: { url?: string }): string => url.replace(/^https?:\/\/[^/]+/, '');
    const client = await serve(
      {
        root: fpm.root,
        params: (request: { url?: string }) => {
          note(path(request), 'params');
          return {};
        },
        onError: (_error: unknown, request: { url?: string }) => note(path(request), 'onError'),
        onStderr: (_chunk: unknown, request: { url?: string }) => note(path(request), 'onStderr'),
        onEnd: (_info: unknown, request: { url?: string }) => note(path(request), 'onEnd'),
      },
      note,
    );
    const ask = async (url: string, body?: Buffer): Promise<void> => {
      const got = await client.open({ path: url, ...(body ? { method: 'POST', body: [body] } : {}) });
      for await (const _ of got.body.on('error', () => {})) void _;
    };
    await ask('/a.php?1');
    // those that wait for the connection are started from within the request before them
    const late = ['/late.php?2', '/a.php?3', '/late.php?4', '/a.php?5'].map((url) => ask(url));
    await Promise.all([...late, ask('/a.php?6', Buffer.alloc(200_000, 'x'))]);
    await ask('/short.php?7').catch(() => {});
    await expect.poll(() => seen.filter(({ what }) => what === 'onEnd').length).toBe(7);
    await client.close();
    expect(seen.filter(({ url, context }) => url !== context)).toEqual([]);
    const whats = new Set(seen.map(({ what }) => what));
    for (const what of ['params', 'onStderr', 'onError', 'onEnd']) expect(whats).toContain(what);
  });
});
