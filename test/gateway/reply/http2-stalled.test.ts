/** Clients of HTTP/2 that do not read one answer, while they go on with others on the same connection. */
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { within } from '../../fpm/support/wait.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { openFiles } from '../open-files.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Bench {
  readonly root: string;
  readonly php: FakeDispatcher;
  readonly session: ClientHttp2Session;
}

/** `window`: bytes of each answer that are sent before the client has read any. */
async function bench(sendTimeout: number, window: number): Promise<Bench> {
  const site = tempSite({ 'a.php': '', 'small.txt': 'small' });
  const php = new FakeDispatcher((exchange) => {
    exchange.head(200, ['Content-Type', 'text/plain']);
    exchange.data(Buffer.alloc(100_000));
    setImmediate(() => exchange.data(Buffer.alloc(100_000)));
  });
  const handler = createHandler(php, {
    root: site.root,
    files: true,
    sendTimeout,
    responseBuffering: false,
    onError: () => {},
  });
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: window },
  });
  session.on('error', () => {});
  closing.push(
    site.remove,
    () => server.close(),
    () => session.destroy(),
  );
  return { root: site.root, php, session };
}

/** Asks for one trifle after the other. Returns how many answers have come. */
function chatter(session: ClientHttp2Session): () => number {
  let answers = 0;
  const ask = (): void => {
    if (session.destroyed) return;
    const stream = session.request({ ':path': '/small.txt', ':method': 'HEAD' });
    stream.on('error', () => {});
    stream.on('response', () => {
      answers += 1;
      setTimeout(ask, 10);
    });
    stream.resume();
  };
  ask();
  return () => answers;
}

it('PHP is freed where its answer is not taken, though others on the connection are', async () => {
  const { php, session } = await bench(100, 0);
  const asked = php.next();
  const stream = session.request({ ':path': '/a.php' });
  const broken = once(stream, 'error');
  const exchange = await asked;
  const answers = chatter(session);
  await within(exchange.gone, 5000, 'the end of the exchange');
  await broken;
  expect(answers()).toBeGreaterThan(5);
});

it('a file is closed that is not taken, though others on the connection are', async () => {
  const { root, session } = await bench(100, 0);
  const big = join(root, 'big.bin');
  writeFileSync(big, '');
  truncateSync(big, 1024 * 1024);
  const stream = session.request({ ':path': '/big.bin' });
  const broken = once(stream, 'error');
  await once(stream, 'response');
  expect(openFiles(big)).toBe(1);
  const answers = chatter(session);
  await within(broken, 5000, 'the end of the file');
  // It is closed by another thread: the client may hear of it first.
  await expect.poll(() => openFiles(big), { timeout: 4000 }).toBe(0);
  expect(answers()).toBeGreaterThan(5);
});

it('a client that reads slowly is waited for, while others on the connection go on', async () => {
  // The client takes longer than that for all of it, and is far quicker with each piece, on a busy machine as well.
  const { root, session } = await bench(1500, 65_535);
  const size = 600_000;
  writeFileSync(join(root, 'big.bin'), Buffer.alloc(size));
  chatter(session);
  const stream = session.request({ ':path': '/big.bin' });
  let got = 0;
  stream.on('data', (chunk: Buffer) => {
    got += chunk.length;
    stream.pause();
    setTimeout(() => stream.resume(), 100);
  });
  await once(stream, 'end');
  expect(got).toBe(size);
}, 30_000);
