/** What Node's parser lets pass, and the gateway does not. */
import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createFetchHandler } from '../../src/gateway/fetch.ts';
import { createHandler } from '../../src/gateway/node.ts';
import { within } from '../fpm/support/wait.ts';
import { answer, FakeDispatcher } from './fake-dispatcher.ts';
import { type RawServer, rawServer } from './raw.ts';
import { tempSite } from './temp-site.ts';

let server: RawServer | undefined;
afterEach(() => server?.close());

it.each([
  ['HTTP/0.9 with a head', 'GET /a.php HTTP/0.9\r\nHost: a\r\n\r\n'],
  [
    'an empty coding beside a length',
    'POST /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding:\r\nContent-Length: 1\r\n\r\nx',
  ],
])('%s is 400, and PHP is not asked', async (_, bytes) => {
  const php = new FakeDispatcher();
  server = await rawServer(createHandler(php, { fpmRoot: '/srv' }));
  expect((await server.exchange(bytes)).text).toMatch(/^HTTP\/1\.1 400 /);
  expect(php.exchanges).toHaveLength(0);
});

it.each(['Host: a\r\n', ''])(
  'HTTP/2.0 in a line of HTTP/1 is 505, as with nginx, the connection ends, and PHP is not asked: %j',
  async (host) => {
    const php = new FakeDispatcher();
    server = await rawServer(createHandler(php, { fpmRoot: '/srv' }));
    const { text: heard } = await server.exchange(`GET /a.php HTTP/2.0\r\n${host}\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 505 HTTP Version Not Supported\r\n(?:.+\r\n)*Connection: close\r\n/);
    expect(php.exchanges).toHaveLength(0);
  },
);

/** RFC 9112, 6.1. PHP would have the coded bytes, and nothing would tell it of that. */
it.each(['gzip, chunked', 'x-gzip ,\tchunked', 'identity, chunked', 'Deflate,Chunked'])(
  'a body of the transfer coding "%s" is 501, as with nginx, the connection ends, and PHP is not asked',
  async (coding) => {
    const php = new FakeDispatcher();
    server = await rawServer(createHandler(php, { fpmRoot: '/srv' }));
    const { text: heard } = await server.exchange(
      `POST /a.php HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n(?:.+\r\n)*Connection: close\r\n/);
    expect(php.exchanges).toHaveLength(0);
  },
);

/** As servers make them: `new Request` takes no such header. */
function codedRequest(url: string, method: string): Request {
  return new Proxy(new Request(url, { method, body: method === 'POST' ? 'x' : null }), {
    get: (target, key) => {
      if (key === 'headers') return new Headers([['Transfer-Encoding', 'gzip, chunked']]);
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

it('so it is with a Request that has such a header', async () => {
  const php = new FakeDispatcher();
  const handler = createFetchHandler(php, { fpmRoot: '/srv' });
  const asked = codedRequest('http://a.example/a.php', 'POST');
  const { status, headers } = await handler(asked);
  expect([status, headers.get('connection')]).toEqual([501, 'close']);
  expect(php.exchanges).toHaveLength(0);
});

it.each(['chunked', 'CHUNKED', ', chunked'])('the coding "%s" is none but chunked', async (coding) => {
  const php = new FakeDispatcher(answer(200, [], 'page'));
  server = await rawServer(createHandler(php, { fpmRoot: '/srv' }));
  const { text: heard } = await server.exchange(
    `POST /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: ${coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  );
  expect(heard).toMatch(/^HTTP\/1\.1 200 /);
  expect(php.params).toMatchObject({ CONTENT_LENGTH: '1' });
});

/** 4 bytes each: what node takes of a head holds some thousands. */
const many = (count: number): string =>
  `POST /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'a:\r\n'.repeat(count)}Cookie: b=c\r\nContent-Length: 1\r\n\r\nx`;

it.each([1000, 1500, 3000])(
  'a head of which node has dropped something, as it has %i headers and more, is 431, and PHP is not asked',
  async (count) => {
    const php = new FakeDispatcher();
    server = await rawServer(createHandler(php, { fpmRoot: '/srv' }));
    expect((await server.exchange(many(count))).text).toMatch(/^HTTP\/1\.1 431 /);
    expect(php.exchanges).toHaveLength(0);
  },
);

it.each([
  [900, undefined],
  [3000, 0],
  [3000, 4000],
])('%i headers are PHP’s, where maxHeadersCount is %s', async (count, maxHeadersCount) => {
  const php = new FakeDispatcher(answer(200, [], 'page'));
  server = await rawServer(createHandler(php, { fpmRoot: '/srv' }), { maxHeadersCount });
  expect((await server.exchange(many(count))).text).toMatch(/^HTTP\/1\.1 200 /);
  expect(php.params).toMatchObject({ HTTP_COOKIE: 'b=c', CONTENT_LENGTH: '1' });
});

/** Whatever its path leads to. */
describe.each([
  ['a file', '/a.txt'],
  ['a folder without its slash', '/folder'],
  ['nothing', '/none'],
])('for %s, too,', (_what, path) => {
  const site = tempSite({ 'a.txt': 'text', 'folder/index.php': '' });
  afterAll(site.remove);
  const coded = `Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`;

  it.each([
    ['HTTP/0.9', 400, `GET ${path} HTTP/0.9\r\nHost: a\r\n\r\n`],
    ['a coding', 501, `GET ${path} HTTP/1.1\r\n${coded}`],
    ['too many headers', 431, many(1000).replace('POST /a.php', `GET ${path}`)],
  ])('%s is answered %i', async (_kind, status, bytes) => {
    server = await rawServer(createHandler(new FakeDispatcher(), { root: site.root, files: true }));
    const { text: heard } = await within(server.exchange(bytes), 5000, 'an answer');
    expect(heard.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
  });

  /** RFC 9112, 3.2, as nginx and Apache. */
  it.each([
    ['two hosts', 'Host: a.example\r\nHost: b.example'],
    ['the same host twice', 'Host: a.example\r\nhost: a.example'],
    ['a path in the host', 'Host: a/b'],
    ['a user in the host', 'Host: a@b'],
    ['a host of two words', 'Host: a b'],
    ['an empty host', 'Host:'],
    ['a port that is none', 'Host: a:b'],
    ['an empty label', 'Host: a..b'],
  ])('%s is answered 400', async (_kind, host) => {
    const errors: unknown[] = [];
    const onError = (error: unknown): unknown => errors.push(error);
    server = await rawServer(createHandler(new FakeDispatcher(), { root: site.root, files: true, onError }));
    const { text: heard } = await server.exchange(
      `GET ${path} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(heard.slice(0, 13)).toBe('HTTP/1.1 400 ');
    expect(errors).toEqual([
      expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', message: expect.stringContaining('Host') }),
    ]);
  });

  it.each(['a', 'A.example:8080', 'a.example.', '[::1]:80', 'a_b.example:'])(
    'the host %s is one',
    async (host) => {
      server = await rawServer(createHandler(new FakeDispatcher(), { root: site.root, files: true }));
      const { text: heard } = await server.exchange(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(heard.slice(0, 13)).toBe(`HTTP/1.1 ${{ '/a.txt': 200, '/folder': 301, '/none': 404 }[path]} `);
    },
  );

  it('so is a Request with a coding', async () => {
    const handler = createFetchHandler(new FakeDispatcher(), { root: site.root, files: true });
    const asked = codedRequest(`http://a.example${path}`, 'GET');
    expect((await handler(asked)).status).toBe(501);
  });
});

/** By HTTP/2: the parser of HTTP/1 refuses them. Symfony takes `post` for POST; who counts or checks what is POST does not. */
it.each(['post', 'Delete', 'pUT', 'get'])(
  'a method such as %s is 400, and PHP is not asked',
  async (method) => {
    const php = new FakeDispatcher();
    const http2 = createServer(createHandler(php, { fpmRoot: '/srv' }));
    await once(http2.listen(0, '127.0.0.1'), 'listening');
    const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    try {
      const stream = session.request({ ':path': '/a.php', ':method': method }, { endStream: true });
      const [head] = await once(stream, 'response');
      expect([head[':status'], await text(stream)]).toEqual([400, '400 Bad Request\n']);
      expect(php.exchanges).toHaveLength(0);
    } finally {
      session.destroy();
      http2.close();
    }
  },
);

/** nghttp2 refuses characters that no host has, and no more. */
it.each(['a@b', 'a..b'])(
  'a file by HTTP/2 at the authority "%s" is 400, and at one that is a host it is sent',
  async (authority) => {
    const site = tempSite({ 'a.txt': 'text' });
    const http2 = createServer(createHandler(new FakeDispatcher(), { root: site.root, files: true }));
    await once(http2.listen(0, '127.0.0.1'), 'listening');
    const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    try {
      const statusOf = async (asked: string): Promise<unknown> => {
        const stream = session.request({ ':path': '/a.txt', ':authority': asked }, { endStream: true });
        const [head] = await once(stream, 'response');
        stream.resume();
        return head[':status'];
      };
      expect([await statusOf(authority), await statusOf('a.example:8080')]).toEqual([400, 200]);
    } finally {
      session.destroy();
      http2.close();
      site.remove();
    }
  },
);

it('so it is with a Request, which makes capitals of some methods and not of all', async () => {
  const php = new FakeDispatcher();
  const handler = createFetchHandler(php, { fpmRoot: '/srv' });
  const response = await handler(new Request('http://a.example/a.php', { method: 'patch' }));
  expect(response.status).toBe(400);
  expect(php.exchanges).toHaveLength(0);
});
