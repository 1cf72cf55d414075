/** What Node's parser lets pass, and the gateway does not. */
import { afterEach, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
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
