/** What becomes of a connection behind its reply is node's to say. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { FakeDispatcher, type Play } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const large = 'x'.repeat(8_000_000);
const site = tempSite({ 'a.php': '', 'small.txt': 'x', 'large.bin': large });
afterAll(() => site.remove());

/** What the system takes at once is less: the rest waits for the client, as the page has its end. */
const play: Play = (exchange) => {
  exchange.head(200);
  for (const half of [large.slice(0, 100), large.slice(100)]) exchange.data(half);
  exchange.end();
};

/** ms for which node keeps the connection of a client that is silent behind this reply; 0: for ever. */
async function keptAfter(path: string, sendTimeout: number): Promise<number> {
  const php = new FakeDispatcher(play);
  const handler = createHandler(php, {
    root: site.root,
    files: true,
    sendTimeout,
    responseBuffering: 16_000_000,
  });
  const over = new Promise<Socket>((resolve) => {
    server.once('request', (_, response) => {
      const { socket } = response;
      response.once('close', () => socket && resolve(socket));
    });
  });
  server.on('request', handler);
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const socket = await over;
  await nextTurn();
  const { timeout = 0 } = socket;
  server.removeAllListeners('request');
  socket.destroy();
  await once(client, 'close');
  return timeout;
}

const server = createServer({ keepAliveTimeout: 10_000 }).listen(0, '127.0.0.1');
afterAll(() => server.close());

it.each(['/large.bin', '/a.php'])(
  'a connection is closed after the keepAliveTimeout behind %s, where sendTimeout is as long as that',
  async (path) => {
    const usual = await keptAfter('/small.txt', 60_000);
    expect(usual).toBeGreaterThanOrEqual(10_000);
    for (const sendTimeout of [usual - 1, usual, usual + 1])
      expect(await keptAfter(path, sendTimeout)).toBe(usual);
  },
);
