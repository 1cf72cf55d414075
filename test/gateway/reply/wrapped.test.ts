/** Whoever wraps the response is given bytes, of pages and of files. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { answer, FakeDispatcher, type FakeExchange, type Play } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const site = tempSite({ 'a.php': '', 'a.bin': 'a file' });
afterAll(site.remove);

const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

type Wrap = (response: http.ServerResponse, note: (chunk: unknown) => void) => void;

/** The page that a client gets, and the pieces of it that a wrapper has seen. */
async function served(path: string, wrap: Wrap): Promise<{ head: string[]; body: Buffer; seen: unknown[] }> {
  const php = createHandler(
    new FakeDispatcher(async (exchange) => {
      exchange.head(200, ['Content-Type', 'application/octet-stream', 'X-Name', 'caf\xe9']);
      exchange.data(all);
      exchange.end();
    }),
    { root: site.root, files: true },
  );
  const seen: unknown[] = [];
  const server = http
    .createServer((request, response) => {
      wrap(response, (chunk) => seen.push(chunk));
      php(request, response);
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const request = http.get({ port, host: '127.0.0.1', path, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const fields = response.rawHeaders.map((text) => (/GMT$/.test(text) ? '' : text));
    return { head: fields, body: Buffer.concat(chunks), seen };
  } finally {
    server.close();
    await once(server, 'close');
  }
}

const wrapEnd: Wrap = (response, note) => {
  const { end } = response;
  response.end = function (this: http.ServerResponse, ...args: unknown[]) {
    note(args[0]);
    return Reflect.apply(end, this, args) as http.ServerResponse;
  };
};

const wrapWrite: Wrap = (response, note) => {
  const { write, end } = response;
  response.write = function (this: http.ServerResponse, ...args: unknown[]) {
    note(args[0]);
    return Reflect.apply(write, this, args) as boolean;
  };
  response.end = function (this: http.ServerResponse, ...args: unknown[]) {
    if (args[0] !== undefined) note(args[0]);
    return Reflect.apply(end, this, args) as http.ServerResponse;
  };
};

it.each<[string, string, Buffer, Wrap]>([
  ['a page, end wrapped', '/a.php', all, wrapEnd],
  ['a page, write and end wrapped', '/a.php', all, wrapWrite],
  ['a file, end wrapped', '/a.bin', Buffer.from('a file'), wrapEnd],
  ['a file, write and end wrapped', '/a.bin', Buffer.from('a file'), wrapWrite],
])(
  '%s: bytes are given, and the client gets what it gets of a bare response',
  async (_, path, body, wrap) => {
    const bare = await served(path, () => {});
    const wrapped = await served(path, wrap);
    expect(bare.body).toEqual(body);
    expect(wrapped.body).toEqual(body);
    expect(wrapped.head).toEqual(bare.head);
    expect(wrapped.seen).toEqual([body]);
  },
);

const broken = new Error('a middleware that is broken');

type Method = 'setHeader' | 'writeHead' | 'write' | 'end';
const sends: readonly Method[] = ['writeHead', 'write', 'end'];

const fail = (): never => {
  throw broken;
};

it.each<[string, string, Play, readonly Method[]]>([
  ['a page', '/a.php', answer(200, [], 'page'), sends],
  ['a page in pieces', '/a.php', pieces, sends],
  ['an error of the gateway', '/a.php', (exchange) => exchange.fail(new Error('gone')), sends],
  ['a refusal', '/missing.php', answer(200, []), sends],
  ['the head of a page', '/a.php', answer(200, ['X-A', 'b'], 'page'), ['setHeader']],
  ['the head of a file', '/a.php', answer(200, ['X-Sendfile', join(site.root, 'a.bin')]), ['setHeader']],
])(
  'a middleware that throws at %s costs the client its answer, and the process nothing',
  async (_, path, play, methods) => {
    const errors: unknown[] = [];
    const php = createHandler(new FakeDispatcher(play), {
      root: site.root,
      xSendfile: [site.root],
      onError: (error) => errors.push(error),
    });
    const server = http.createServer((request, response) => {
      for (const method of methods) response[method] = fail;
      php(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const request = http.get({ port, host: '127.0.0.1', path, agent: false });
      const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNRESET');
      expect(errors).toContain(broken);
    } finally {
      server.close();
      await once(server, 'close');
    }
  },
);

async function pieces(exchange: FakeExchange): Promise<void> {
  exchange.head(200, []);
  exchange.data('one');
  await new Promise((resolve) => setImmediate(resolve));
  exchange.data('two');
  exchange.end();
}

it('a headersSent of somebody else’s, as by @fastify/express, is no reason to answer a page that breaks off anew', async () => {
  const gone = new Error('gone');
  const errors: unknown[] = [];
  const php = createHandler(
    new FakeDispatcher(async (exchange) => {
      exchange.head(200, ['X-A', 'b']);
      exchange.data('one');
      await new Promise((resolve) => setImmediate(resolve));
      exchange.fail(gone);
    }),
    { root: site.root, onError: (error) => errors.push(error) },
  );
  const server = http.createServer((request, response) => {
    Object.defineProperty(response, 'headersSent', { get: () => false });
    php(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const request = http.get({ port, host: '127.0.0.1', path: '/a.php', agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(200);
    await expect(response.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(errors).toEqual([gone]);
  } finally {
    server.close();
    await once(server, 'close');
  }
});
