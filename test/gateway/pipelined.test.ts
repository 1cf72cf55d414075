/** Requests that a client sends in one go: with a limit, each in its turn, all in the end. */
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
import { rawServer, responses } from './raw.ts';
import { tempSite } from './temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('with many in line nothing more is read until they have had their turn, and none is lost', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const php = new FakeDispatcher(async (exchange) => {
    const { QUERY_STRING } = exchange.params;
    if (QUERY_STRING === '0') await finished;
    exchange.head(200, ['Content-Type', 'text/plain']);
    exchange.data(`page ${QUERY_STRING}`);
    exchange.end();
  });
  const handler = createHandler(php, { root: site.root });
  let socket: Socket | null = null;
  let came = 0;
  const server = await rawServer((request, response) => {
    came += 1;
    socket = request.socket;
    handler(request, response);
  });
  closing.push(() => server.close());
  const all = Array.from({ length: 6000 }, (_, i) => {
    const last = i === 5999 ? 'Connection: close\r\n' : '';
    return `GET /a.php?${i} HTTP/1.1\r\nHost: a.example\r\n${last}\r\n`;
  });
  const answered = server.exchange(all.join(''));
  await expect.poll(() => socket?.isPaused()).toBe(true);
  expect(came).toBeLessThan(6000);
  finish();
  const pages = responses((await answered).text).map((text) => text.slice(text.indexOf('page ')));
  expect(pages).toEqual(all.map((_, i) => `page ${i}`));
});
