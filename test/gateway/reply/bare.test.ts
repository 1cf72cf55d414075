/** A small page goes out as text where nobody has wrapped the response; whoever has, is given bytes. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const site = tempSite({ 'a.php': '' });
afterAll(site.remove);

const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

type Wrap = (response: http.ServerResponse, note: (chunk: unknown) => void) => void;

/** The page that a client gets, and the pieces of it that a wrapper has seen. */
async function served(wrap: Wrap): Promise<{ head: string[]; body: Buffer; seen: unknown[] }> {
  const php = createHandler(
    new FakeDispatcher(async (exchange) => {
      exchange.head(200, ['Content-Type', 'application/octet-stream', 'X-Name', 'caf\xe9']);
      exchange.data(all);
      exchange.end();
    }),
    { root: site.root },
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
    const request = http.get({ port, host: '127.0.0.1', path: '/a.php', agent: false });
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

it.each<[string, Wrap]>([
  ['end', wrapEnd],
  ['write and end', wrapWrite],
])('%s wrapped: bytes are given, and the client gets what it gets of a bare response', async (_, wrap) => {
  const bare = await served(() => {});
  const wrapped = await served(wrap);
  expect(bare.body).toEqual(all);
  expect(wrapped.body).toEqual(all);
  expect(wrapped.head).toEqual(bare.head);
  expect(wrapped.seen).toEqual([all]);
});
