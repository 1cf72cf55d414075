/** Clients that reset their streams with NO_ERROR, as close() of node's own client does, and keep the connection. */
import { once } from 'node:events';
import { connect, constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { within } from '../../fpm/support/wait.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const large = Buffer.alloc(1024 * 1024);

it.each([
  ['GET', 'that waits for room', false],
  ['POST', 'that waits for room', false],
  ['GET', 'that PHP has ended', true],
])('%s: a page %s is over when its stream is reset', async (method, _, isEnded) => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher(async (exchange) => {
    exchange.head(200, ['Content-Type', 'text/plain']);
    exchange.data(large);
    if (isEnded) exchange.end();
    else await exchange.gone;
  });
  const handler = createHandler(php, { root: site.root, requestBuffering: false, responseBuffering: false });
  const server = createServer();
  const over = new Promise<void>((resolve) => {
    server.on('request', (request, response) => {
      response.once('close', resolve);
      handler(request, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: 0 },
  });
  closing.push(() => {
    session.destroy();
    server.close();
  });
  const asked = { ':path': '/a.php', ':method': method };
  const stream = session.request(method === 'POST' ? { ...asked, 'content-length': '9' } : asked, {
    endStream: method !== 'POST',
  });
  await once(stream, 'response');
  stream.close(constants.NGHTTP2_NO_ERROR);
  await within(over, 3000, 'the end of the response');
});
