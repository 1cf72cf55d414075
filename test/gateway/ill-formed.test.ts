/** What Node's parser lets pass, and the gateway does not. */
import { afterEach, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { answer, FakeDispatcher } from './fake-dispatcher.ts';
import { type RawServer, rawServer } from './raw.ts';

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
