import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { parseServe } from '../../../src/cli/args/serve.ts';
import { siteHandler } from '../../../src/cli/serve/handler.ts';
import { garbageCollector } from '../../fpm/support/gc.ts';
import { FakeDispatcher } from '../../gateway/fake-dispatcher.ts';
import { tempSite } from '../../gateway/temp-site.ts';

it('what a script writes to STDERR when its client has gone is told, and the request is let go of', async () => {
  const site = tempSite({ 'index.php': '' });
  const [command] = parseServe([site.root]).sites;
  const told: string[] = [];
  const fpm = new FakeDispatcher(() => {});
  const hooks = { say: () => {}, ended: null, php: (_: string, text: string) => told.push(text) };
  const handler = siteHandler(fpm, { command, root: site.root, linked: [] }, hooks);
  const left: Promise<unknown>[] = [];
  const requests: WeakRef<object>[] = [];
  const server = createServer((req, res) => {
    requests.push(new WeakRef(req));
    left.push(once(res, 'close'));
    handler(req, res);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  // as curl does: it knows the length, and does not wait for the end of the script
  const visit = async (nth: number): Promise<void> => {
    const asked = fpm.next();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const exchange = await asked;
    exchange.head(200, ['Content-Length', '2']);
    exchange.data('ok');
    await once(socket, 'data');
    socket.destroy();
    await left[nth];
    exchange.request.onStderr?.(Buffer.from(`late ${nth}`));
    exchange.end();
    fpm.exchanges.length = 0;
  };
  for (let nth = 0; nth < 20; nth++) await visit(nth);
  left.length = 0;
  server.close();
  await expect.poll(() => told.length).toBe(20);
  expect(told[7]).toBe('late 7');

  const collect = garbageCollector();
  const held = async (): Promise<number> => {
    await turn();
    collect();
    return requests.filter((each) => each.deref() !== undefined).length;
  };
  // the last one may still be somewhere on the stack
  await expect.poll(held).toBeLessThan(3);
  site.remove();
});
