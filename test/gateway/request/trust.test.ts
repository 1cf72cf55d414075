/** A proxy that the framework trusts is one for PHP, too: both see the same client. */
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import fastcgi from '../../../src/gateway/fastify.ts';
import { createMiddleware } from '../../../src/gateway/koa.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';

const require = createRequire(import.meta.url);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Serve = (dispatcher: FakeDispatcher, setting: unknown, options: object) => Promise<number>;

async function listening(listener: http.RequestListener): Promise<number> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const express4: typeof express = require('express-4');
const behindExpress =
  (make: typeof express): Serve =>
  (dispatcher, setting, options) =>
    listening(
      make()
        .set('trust proxy', setting)
        .use('/sub', make().use(createHandler(dispatcher, { fpmRoot: '/srv', ...options }))),
    );

const behindFastify: Serve = async (dispatcher, setting, options) => {
  const app = Fastify({ trustProxy: setting as never });
  app.register(fastcgi, { dispatcher, fpmRoot: '/srv', prefix: '/sub', ...options });
  await app.listen({ port: 0, host: '127.0.0.1' });
  closing.push(() => app.close());
  return (app.server.address() as AddressInfo).port;
};

const behindKoa: Serve = (dispatcher, setting, options) => {
  const app = new Koa(setting as object);
  app.use(createMiddleware(dispatcher, { fpmRoot: '/srv', ...options }));
  return listening(app.callback());
};

const headers = {
  'X-Forwarded-For': '203.0.113.9, 198.51.100.7, 192.0.2.1',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'evil.example',
  'X-Real-IP': '203.0.113.50',
};

async function seen(
  serve: Serve,
  setting: unknown,
  options = {},
  sent: Record<string, string> = headers,
): Promise<unknown> {
  const php = new FakeDispatcher();
  const port = await serve(php, setting, options);
  await new Promise((resolve) =>
    http.get({ port, path: '/sub/a.php', headers: { Host: 'here', ...sent }, agent: false }, (response) => {
      response.resume().on('end', resolve);
    }),
  );
  const { REMOTE_ADDR, HTTPS = 'off', HTTP_HOST } = php.params;
  return [REMOTE_ADDR, HTTPS, HTTP_HOST];
}

describe.each<[string, Serve, readonly [setting: unknown, address: string][], unknown]>([
  [
    'Express',
    behindExpress(express),
    [
      [true, '203.0.113.9'],
      [1, '192.0.2.1'],
      [2, '198.51.100.7'],
      ['loopback, 192.0.2.0/24', '198.51.100.7'],
    ],
    false,
  ],
  [
    'Express 4',
    behindExpress(express4),
    [
      [true, '203.0.113.9'],
      ['loopback', '192.0.2.1'],
    ],
    false,
  ],
  [
    'Fastify',
    behindFastify,
    [
      [true, '203.0.113.9'],
      ['127.0.0.1', '192.0.2.1'],
      [(_: string, hop: number) => hop < 2, '198.51.100.7'],
    ],
    false,
  ],
  [
    'Koa',
    behindKoa,
    [
      [{ proxy: true }, '203.0.113.9'],
      [{ proxy: true, maxIpsCount: 2 }, '198.51.100.7'],
      [{ proxy: true, proxyIpHeader: 'X-Real-IP' }, '203.0.113.50'],
    ],
    {},
  ],
])('%s', (_, serve, settings, none) => {
  it.each(settings)('that trusts %j: the client is %s, by https', async (setting, address) => {
    expect(await seen(serve, setting)).toEqual([address, 'on', 'here']);
  });

  it('that trusts nobody, or not the peer: the peer is the client', async () => {
    expect(await seen(serve, none)).toEqual(['127.0.0.1', 'off', 'here']);
  });

  it('whose trusted proxy names no client, but a scheme', async () => {
    const trusting = settings[0]?.[0];
    expect(await seen(serve, trusting, {}, { 'X-Forwarded-Proto': 'https' })).toEqual([
      '127.0.0.1',
      'on',
      'here',
    ]);
  });

  it('counts less than trustedProxies, and the host only where forwardedHeaders names it', async () => {
    const trusting = settings[0]?.[0];
    expect(await seen(serve, trusting, { trustedProxies: [] })).toEqual(['127.0.0.1', 'off', 'here']);
    expect(await seen(serve, trusting, { trustedProxies: ['127.0.0.1'] })).toEqual([
      '192.0.2.1',
      'on',
      'here',
    ]);
    const options = { forwardedHeaders: ['x-forwarded-for', 'x-forwarded-host'] };
    expect(await seen(serve, trusting, options)).toEqual([expect.any(String), 'off', 'evil.example']);
  });
});
