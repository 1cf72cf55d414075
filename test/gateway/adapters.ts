/** Each way a request can come to the gateway, behind one face: the contract is run through all of them. */
import http from 'node:http';
import http2 from 'node:http2';
import { getRequestListener } from '@hono/node-server';
import connect from 'connect';
import express from 'express';
import Fastify from 'fastify';
import { H3, toNodeHandler as h3ToNode } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';
import { toNodeHandler as srvxToNode } from 'srvx/node';
import fastcgi from '../../src/gateway/fastify.ts';
import { createFetchHandler } from '../../src/gateway/fetch.ts';
import { createMiddleware } from '../../src/gateway/koa.ts';
import { createHandler } from '../../src/gateway/node.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import type { Dispatcher } from '../../src/pool/dispatcher.ts';
import { type Client, direct, httpsServer, overHttp1, overHttp2 } from './clients.ts';

export type { Ask, Client, Opened } from './clients.ts';

// biome-ignore lint/suspicious/noExplicitAny: the request a hook gets differs between adapters
export type AnyOptions = GatewayOptions<any>;

/** What the way there can carry. */
interface Traits {
  readonly scheme: 'http' | 'https';
  /** A status from 600 to 999. */
  readonly anyStatus: boolean;
  /** Bytes in a head as they are; else they are taken for characters and go out as UTF-8. */
  readonly latin1Heads: boolean;
  /** Names of downloads in ASCII, as another writes the head. */
  readonly asciiNames: boolean;
  /** A page without a type; else the server says that it is text. */
  readonly typeless: boolean;
}

const http1: Traits = {
  scheme: 'http',
  anyStatus: true,
  latin1Heads: true,
  asciiNames: false,
  typeless: true,
};
const noOddStatus: Traits = { ...http1, anyStatus: false };
const asResponse: Traits = { ...noOddStatus, asciiNames: true };

export interface Adapter extends Traits {
  readonly name: string;
  serve(dispatcher: Dispatcher, options: AnyOptions): Promise<Client>;
}

/** What each framework says by itself differs; a test of the gateway is to see one thing. */
const notFound = '404 Not Found\n';

export const adapters: readonly Adapter[] = [
  {
    name: 'node:http',
    ...http1,
    serve: async (dispatcher, options) => overHttp1(http.createServer(createHandler(dispatcher, options))),
  },
  {
    name: 'node:https',
    ...http1,
    scheme: 'https',
    serve: async (dispatcher, options) => overHttp1(httpsServer(createHandler(dispatcher, options))),
  },
  {
    name: 'node:http2',
    ...noOddStatus,
    serve: async (dispatcher, options) => overHttp2(http2.createServer(createHandler(dispatcher, options))),
  },
  {
    name: 'connect',
    ...http1,
    serve: async (dispatcher, options) => overHttp1(behindConnect(dispatcher, options)),
  },
  {
    name: 'Express',
    ...http1,
    serve: async (dispatcher, options) => overHttp1(behindExpress(dispatcher, options)),
  },
  {
    name: 'Koa',
    ...http1,
    asciiNames: true,
    serve: async (dispatcher, options) => overHttp1(behindKoa(dispatcher, options)),
  },
  {
    name: 'Koa on HTTP/2',
    ...noOddStatus,
    serve: async (dispatcher, options) =>
      overHttp2(http2.createServer(koaOf(dispatcher, options).callback() as never)),
  },
  { name: 'Fastify', ...http1, serve: behindFastify },
  {
    name: 'fetch',
    ...asResponse,
    serve: async (dispatcher, options) => direct(createFetchHandler(dispatcher, options)),
  },
  {
    name: 'h3',
    ...asResponse,
    serve: async (dispatcher, options) => overHttp1(behindH3(dispatcher, options)),
  },
  {
    name: 'srvx',
    ...asResponse,
    serve: async (dispatcher, options) => overHttp1(behindSrvx(dispatcher, options)),
  },
  // last, as it puts its own Request and Response in the place of node's
  {
    name: 'Hono',
    ...asResponse,
    latin1Heads: false,
    typeless: false,
    serve: async (dispatcher, options) => overHttp1(behindHono(dispatcher, options)),
  },
];

function behindConnect(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  const app = connect();
  app.use(createHandler(dispatcher, options));
  app.use((_request, response) => {
    response.statusCode = 404;
    response.end(notFound);
  });
  return http.createServer(app);
}

function behindExpress(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  const app = express();
  app.use(createHandler(dispatcher, options));
  app.use((_request, response) => {
    response.status(404).type('text').send(notFound);
  });
  return http.createServer(app);
}

function koaOf(dispatcher: Dispatcher, options: AnyOptions): Koa {
  const app = new Koa();
  app.silent = true;
  app.use(createMiddleware(dispatcher, options));
  app.use((ctx) => {
    ctx.status = 404;
    ctx.body = notFound;
  });
  return app;
}

function behindKoa(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  return http.createServer(koaOf(dispatcher, options).callback());
}

async function behindFastify(dispatcher: Dispatcher, options: AnyOptions): Promise<Client> {
  const handler = createHandler(dispatcher, options);
  const app = Fastify({
    // what its router cannot decode PHP may have, if the application wants that
    frameworkErrors(_error, request, reply) {
      reply.hijack();
      handler(request.raw, reply.raw);
    },
  });
  app.register(fastcgi, { dispatcher, ...options });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(notFound));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const client = await overHttp1(app.server);
  return {
    ...client,
    async close() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function behindHono(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  const php = createFetchHandler(dispatcher, options);
  const app = new Hono();
  app.all('*', (c) => php(c.req.raw, { next: () => c.text(notFound, 404) }));
  return http.createServer(getRequestListener(app.fetch));
}

function behindH3(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  const php = createFetchHandler(dispatcher, options);
  // what its router cannot decode PHP may have, if the application wants that
  const app = new H3({ allowMalformedURL: true });
  app.use((event) => php(event.req));
  return http.createServer(h3ToNode(app));
}

function behindSrvx(dispatcher: Dispatcher, options: AnyOptions): http.Server {
  const php = createFetchHandler(dispatcher, options);
  return http.createServer(srvxToNode((request) => php(request)) as http.RequestListener);
}
