/** What a slow client costs: no worker, and a bounded piece of memory. */
import { once } from 'node:events';
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createFetchHandler } from '../../../src/gateway/fetch.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { type AnyOptions, adapters, type Client } from '../adapters.ts';
import { answer, FakeDispatcher, type FakeExchange, type Play } from '../fake-dispatcher.ts';
import { openFiles } from '../open-files.ts';
import { tempSite } from '../temp-site.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const MiB = 1024 * 1024;
/** More than the system holds between the server and a client that does not read. */
const beyondTheSystem = 8 * MiB;

interface Bench {
  readonly root: string;
  readonly php: FakeDispatcher;
  readonly client: Client;
}

/** `handed`: PHP may hand over all files of the site. */
async function bench(
  name: string,
  play: Play,
  { handed = false, ...options }: AnyOptions & { readonly handed?: boolean } = {},
): Promise<Bench> {
  const adapter = adapters.find((each) => each.name === name);
  if (!adapter) throw new Error(`There is no adapter ${name}`);
  const site = tempSite({ 'a.php': '' });
  const php = new FakeDispatcher(play);
  const { root } = site;
  const handover = handed ? { xAccelRedirect: { '/': root } } : {};
  const client = await adapter.serve(php, { root, ...handover, ...options });
  open.push(() => client.close(), site.remove);
  return { php, client, root };
}

/** Sends as PHP-FPM does that is never kept waiting; resolves with the bytes it could send before it was paused. */
async function sendAll(exchange: FakeExchange, size: number, raw: string[] = []): Promise<number> {
  exchange.head(200, raw);
  let sent = 0;
  while (sent < size && !exchange.paused && !exchange.aborted) {
    exchange.data(Buffer.alloc(32_768, 'x'));
    sent += 32_768;
    // a worker is no faster than its socket
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

function openSpoolFiles(folder: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

describe.each(['node:http', 'node:http2', 'fetch'])('through %s', (name) => {
  it('a small body is given to the pool as bytes, which it can send again', async () => {
    const { php, client } = await bench(name, answer(200, [], 'ok'));
    await client.open({ path: '/a.php', method: 'POST', body: Buffer.from('a=1') });
    expect(php.exchanges[0]?.request.body).toEqual(Buffer.from('a=1'));
    expect(php.params['CONTENT_LENGTH']).toBe('3');
  });

  it('a large body can be read twice from its file, which is gone when the reply is out', async () => {
    const folder = tempSite({});
    open.push(folder.remove);
    const body = Buffer.alloc(300_000, 'abc');
    let whole: boolean[] = [];
    const { client } = await bench(
      name,
      async (exchange) => {
        const [once, again] = [await exchange.body(), await exchange.body()];
        whole = [once.equals(body), again.equals(body), openSpoolFiles(folder.root) === 1];
        answer(200, [], 'ok')(exchange);
      },
      { spoolFolder: folder.root, spoolMemory: 1000 },
    );
    for await (const _ of (await client.open({ path: '/a.php', method: 'POST', body })).body);
    expect(whole).toEqual([true, true, true]);
    await expect.poll(() => openSpoolFiles(folder.root)).toBe(0);
  });

  it('a body that streams is at PHP before its client has sent the end', async () => {
    let gave = '';
    const { client } = await bench(
      name,
      async (exchange) => {
        const { body } = exchange.request;
        if (body !== null && typeof body === 'object' && Symbol.asyncIterator in body) gave = 'a stream';
        answer(200, [], String((await exchange.body()).length))(exchange);
      },
      { requestBuffering: false },
    );
    await client.open({ path: '/a.php', method: 'POST', body: Buffer.alloc(100_000) });
    expect(gave).toBe('a stream');
  });

  it('PHP has sent a page, up to the limit, before its client has read any', async () => {
    const limit = beyondTheSystem + 4 * MiB;
    const sent: Promise<number>[] = [];
    const { php, client } = await bench(
      name,
      (exchange) => {
        sent.push(sendAll(exchange, beyondTheSystem).finally(() => exchange.end()));
      },
      { responseBuffering: limit },
    );
    const { body } = await client.open({ path: '/a.php' });
    expect(await sent[0]).toBe(beyondTheSystem);
    expect(php.exchanges[0]?.paused).toBe(false);
    let got = 0;
    for await (const chunk of body) got += chunk.length;
    expect(got).toBe(beyondTheSystem);
  });

  it.each<[string, string[], AnyOptions]>([
    ['with responseBuffering off', [], { responseBuffering: false }],
    ['of an event stream', ['Content-Type', 'text/event-stream; charset=utf-8'], {}],
    ['of which PHP says X-Accel-Buffering: no', ['X-Accel-Buffering', 'No'], {}],
    ['beyond the total', [], { responseBufferTotal: 0 }],
  ])('a page %s waits for its client, and comes whole', async (_, raw, options) => {
    const size = 40 * MiB;
    const sent: Promise<number>[] = [];
    const { client } = await bench(
      name,
      (exchange) => {
        sent.push(sendAll(exchange, size, raw));
      },
      { responseBuffering: size + MiB, ...options },
    );
    const response = await client.open({ path: '/a.php' });
    response.body.on('error', () => {});
    expect(await sent[0]).toBeLessThan(size);
    response.leave();
  });

  it('space is free again when a client has read its page, or gone', async () => {
    const total = 32 * MiB;
    const sent: Promise<number>[] = [];
    const { client } = await bench(
      name,
      (exchange) => {
        sent.push(sendAll(exchange, 24 * MiB).finally(() => exchange.end()));
      },
      { responseBuffering: total, responseBufferTotal: 24 * MiB + MiB },
    );
    const first = await client.open({ path: '/a.php' });
    expect(await sent[0]).toBe(24 * MiB);
    for await (const _ of first.body);
    const second = await client.open({ path: '/a.php' });
    second.body.on('error', () => {});
    expect(await sent[1]).toBe(24 * MiB);
    second.leave();
    // the server hears of it a little later
    await expect
      .poll(async () => {
        const third = await client.open({ path: '/a.php' });
        third.body.on('error', () => {});
        const got = await sent.at(-1);
        third.leave();
        return got;
      })
      .toBe(24 * MiB);
  });
});

describe.each(
  adapters.map(({ name }) => name).filter((name) => !['fetch', 'h3', 'srvx', 'Hono'].includes(name)),
)('through %s', (name) => {
  it.each([
    ['of the site', '/big.bin'],
    ['that PHP hands over', '/a.php'],
  ])('a file %s is closed where its client takes nothing for sendTimeout', async (_, path) => {
    const { root, client } = await bench(name, answer(200, ['X-Accel-Redirect', '/big.bin']), {
      files: true,
      sendTimeout: 100,
      handed: true,
    });
    const big = join(root, 'big.bin');
    writeFileSync(big, '');
    truncateSync(big, 64 * MiB);
    const { body } = await client.open({ path });
    const broken = once(body, 'error');
    await expect.poll(() => openFiles(big), { timeout: 4000 }).toBe(0);
    body.resume();
    await broken;
  });
});

it('sendTimeout is over with its reply: the next request on the connection has all the time it needs', async () => {
  const site = tempSite({ 'a.php': '', 'big.bin': 'x'.repeat(200_000) });
  const php = new FakeDispatcher(() => {});
  const handler = createHandler(php, { root: site.root, files: true, sendTimeout: 50 });
  const server = createServer({ keepAliveTimeout: 0 }, handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(
    () => agent.destroy(),
    () => server.close(),
    site.remove,
  );
  const get = async (path: string): Promise<string> => {
    const { port } = server.address() as AddressInfo;
    const [response] = await once(request({ port, host: '127.0.0.1', path, agent }).end(), 'response');
    return text(response);
  };
  expect(await get('/big.bin')).toHaveLength(200_000);
  const asked = php.next();
  const page = get('/a.php');
  const exchange = await asked;
  setTimeout(() => answer(200, [], 'late')(exchange), 200);
  expect(await page).toBe('late');
});

describe.each(['node:http', 'node:http2'])('through %s', (name) => {
  it('a client that takes nothing for sendTimeout is taken for gone, and PHP freed', async () => {
    const { php, client } = await bench(name, (exchange) => void sendAll(exchange, 40 * MiB), {
      sendTimeout: 100,
    });
    const asked = php.next();
    const { body } = await client.open({ path: '/a.php' });
    const broken = once(body, 'error');
    await (await asked).gone;
    body.resume();
    await broken;
  });

  it('a client that reads on, however slowly, is waited for', async () => {
    const sent: Promise<number>[] = [];
    const { php, client } = await bench(name, (exchange) => void sent.push(sendAll(exchange, 40 * MiB)), {
      sendTimeout: 300,
      responseBuffering: false,
    });
    const { body } = await client.open({ path: '/a.php' });
    await sent[0];
    let got = 0;
    // as much as the system has to ask for more now and then
    const reading = setInterval(() => {
      for (let piece: Buffer | null = body.read(); piece !== null; piece = body.read()) got += piece.length;
    }, 10);
    await expect.poll(() => php.exchanges[0]?.paused, { timeout: 10_000 }).toBe(false);
    clearInterval(reading);
    expect(php.exchanges[0]?.aborted).toBe(false);
    expect(got).toBeGreaterThan(0);
  });

  it('PHP may be silent for longer than sendTimeout', async () => {
    const { php, client } = await bench(name, (exchange) => void sendAll(exchange, 1), { sendTimeout: 30 });
    const { body } = await client.open({ path: '/a.php' });
    const page = (async () => {
      let got = 0;
      for await (const chunk of body) got += chunk.length;
      return got;
    })();
    const [exchange] = php.exchanges;
    exchange?.data(Buffer.alloc(500_000));
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(exchange?.aborted).toBe(false);
    exchange?.end();
    expect(await page).toBe(532_768);
  });
});

it('a Request whose body is not as long as its Content-Length is 400, and PHP is not asked', async () => {
  const site = tempSite({ 'a.php': '' });
  open.push(site.remove);
  const php = new FakeDispatcher();
  const handler = createFetchHandler(php, { root: site.root });
  const headers = { 'Content-Length': '10' };
  const response = await handler(new Request('http://h/a.php', { method: 'POST', body: 'short', headers }));
  expect({ status: response.status, asked: php.exchanges.length }).toEqual({ status: 400, asked: 0 });
});
