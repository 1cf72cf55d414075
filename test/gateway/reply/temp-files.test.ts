/** Long pages and slow clients: through a file, so that PHP need not wait. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type AnyOptions, adapters, type Opened } from '../adapters.ts';
import { FakeDispatcher, type FakeExchange, type Play } from '../fake-dispatcher.ts';
import { openFilesIn, sizeOfOpenFileIn } from '../open-files.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const MiB = 1024 * 1024;
/** More than the system holds between the server and a client that does not read, and than is taken in memory. */
const size = 12 * MiB;
const piece = 32_768;
/** Files are opened and closed by other threads, which wait for their turn on a busy machine. */
const BUSY = { timeout: 4000 };

interface Bench {
  readonly php: FakeDispatcher;
  /** Of the files. */
  readonly folder: string;
  /** What onError was told. */
  readonly errors: string[];
  /** Status of what onEnd was told. */
  readonly ended: number[];
  ask(method?: string): Promise<Opened>;
}

async function bench(name: string, play: Play, options: AnyOptions = {}): Promise<Bench> {
  const adapter = adapters.find((each) => each.name === name);
  if (!adapter) throw new Error(`There is no adapter ${name}`);
  const site = tempSite({ 'a.php': '' });
  const php = new FakeDispatcher(play);
  const errors: string[] = [];
  const ended: number[] = [];
  const client = await adapter.serve(php, {
    root: site.root,
    spoolFolder: site.outside,
    responseBuffering: MiB,
    maxTempFileSize: 100 * MiB,
    onError: (error: unknown) => errors.push(String(error)),
    onEnd: ({ statusCode }: { statusCode: number }) => ended.push(statusCode),
    ...options,
  });
  closing.push(site.remove, () => client.close());
  const ask = async (method = 'GET'): Promise<Opened> => {
    const opened = await client.open({ path: '/a.php', method });
    opened.body.on('error', () => {});
    return opened;
  };
  return { php, folder: site.outside, errors, ended, ask };
}

/** The pieces differ: none may be lost or change places. */
function pieceAt(at: number): Buffer {
  const made = Buffer.alloc(piece, at % 251);
  made.writeUInt32BE(at);
  return made;
}

/** As PHP-FPM does; resolves with the bytes that it could send before it had to wait for the client (`until`), or all. */
async function send(
  exchange: FakeExchange,
  until: () => boolean = () => false,
  from = 0,
  total = size,
): Promise<number> {
  let sent = from;
  while (sent < total && !exchange.aborted) {
    if (!exchange.paused) {
      exchange.data(pieceAt(sent / piece));
      sent += piece;
    } else if (until()) break;
    // a worker is no faster than its socket
    await nextTurn();
  }
  return sent;
}

/** A page of `size` bytes, sent to its end; `sent` has resolved when PHP is done. */
function longPage(raw: string[] = []): { readonly play: Play; readonly sent: Promise<number>[] } {
  const sent: Promise<number>[] = [];
  return {
    sent,
    play: (exchange) => {
      exchange.head(200, raw);
      sent.push(send(exchange).finally(() => exchange.end()));
    },
  };
}

/** Reads what is there, and says whether it is PHP's, as far as it goes; `failed`: it did not end well. */
async function read({ body }: Opened): Promise<{ length: number; isRight: boolean; failed: boolean }> {
  const chunks: Buffer[] = [];
  let failed = false;
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch {
    failed = true;
  }
  const all = Buffer.concat(chunks);
  let isRight = true;
  for (let at = 0; at * piece < all.length; at++) {
    const part = all.subarray(at * piece, (at + 1) * piece);
    isRight &&= part.equals(pieceAt(at).subarray(0, part.length));
  }
  return { length: all.length, isRight, failed };
}

const whole = { length: size, isRight: true, failed: false };

describe.each(adapters.map(({ name }) => name))('through %s', (name) => {
  it('PHP has sent a long page before its client has read any, and it comes whole', async () => {
    const { play, sent } = longPage();
    const { folder, ended, errors, ask } = await bench(name, play);
    const opened = await ask();
    expect(await sent[0]).toBe(size);
    // PHP's end, not the client's
    await expect.poll(() => ended).toEqual([200]);
    expect(openFilesIn(folder)).toBe(1);
    expect(await read(opened)).toEqual(whole);
    await expect.poll(() => openFilesIn(folder)).toBe(0);
    expect(errors).toEqual([]);
  });

  it('one with a Content-Length does so as well', async () => {
    const { play, sent } = longPage(['Content-Length', String(size)]);
    const { ask } = await bench(name, play);
    const opened = await ask();
    await sent[0];
    expect(await read(opened)).toEqual(whole);
  });

  it.each(['while PHP sends', 'behind PHP’s end'])(
    'a client that leaves %s lets go of the file',
    async (when) => {
      const isEnded = when !== 'while PHP sends';
      const { php, folder, ask } = await bench(name, async (exchange) => {
        exchange.head(200);
        await send(exchange);
        if (isEnded) exchange.end();
      });
      const asked = php.next();
      const opened = await ask();
      const exchange = await asked;
      await expect.poll(() => openFilesIn(folder), BUSY).toBe(1);
      opened.leave();
      await expect.poll(() => openFilesIn(folder), BUSY).toBe(0);
      if (!isEnded) await exchange.gone;
    },
  );

  it('a page shorter than its Content-Length is told, and has no good end', async () => {
    const { play } = longPage(['Content-Length', String(size + 1)]);
    const { errors, ask } = await bench(name, play);
    expect(await read(await ask())).toMatchObject({ isRight: true, failed: true });
    expect(errors).toEqual([expect.stringMatching(/The body has 12582912 bytes, PHP's Content-Length says/)]);
  });

  it('PHP waits where the file is at its limit, and goes on when the client has caught up', async () => {
    const { php, folder, ask } = await bench(name, () => {}, { maxTempFileSize: 2 * MiB });
    const asked = php.next();
    const opening = ask();
    const exchange = await asked;
    exchange.head(200);
    const total = 2 * size;
    const sent = await send(exchange, () => sizeOfOpenFileIn(folder) === 2 * MiB, 0, total);
    expect(sent).toBeLessThan(size);
    const reading = read(await opening);
    expect(await send(exchange, () => false, sent, total)).toBe(total);
    exchange.end();
    expect(await reading).toEqual({ ...whole, length: total });
  });

  it('a folder in which no file can be made: PHP waits for its client, the page is whole, and one thing is said', async () => {
    const { php, folder, errors, ask } = await bench(name, () => {});
    rmSync(folder, { recursive: true });
    const asked = php.next();
    const opening = ask();
    const exchange = await asked;
    exchange.head(200);
    const sent = await send(exchange, () => errors.length > 0);
    expect(sent).toBeLessThan(size);
    const reading = read(await opening);
    expect(await send(exchange, () => false, sent)).toBe(size);
    exchange.end();
    expect(await reading).toEqual(whole);
    expect(errors).toEqual([expect.stringMatching(/A part of a reply cannot be kept in .*ENOENT/)]);
  });

  it.each<[string, string[], AnyOptions]>([
    ['an event stream', ['Content-Type', 'text/event-stream'], {}],
    ['a page of which PHP says X-Accel-Buffering: no', ['X-Accel-Buffering', 'no'], {}],
    ['a page with responseBuffering off', [], { responseBuffering: false }],
    ['a page without the option', [], { maxTempFileSize: 0 }],
  ])('%s never goes to a file: PHP waits', async (_, raw, options) => {
    const { php, folder, ask } = await bench(name, () => {}, options);
    const asked = php.next();
    const opening = ask();
    const exchange = await asked;
    exchange.head(200, raw);
    expect(await send(exchange, () => true)).toBeLessThan(size);
    expect(openFilesIn(folder)).toBe(0);
    (await opening).leave();
  });

  it('HEAD opens no file', async () => {
    const { play, sent } = longPage();
    const { folder, ended, ask } = await bench(name, play);
    const { body } = await ask('HEAD');
    await sent[0];
    expect(openFilesIn(folder)).toBe(0);
    for await (const _ of body);
    await expect.poll(() => ended).toEqual([200]);
  });

  it('a client that takes nothing for sendTimeout lets go of the file, behind PHP’s end as well', async () => {
    // PHP must have come to its end before that, and how long it takes depends on how busy the machine is.
    for (const sendTimeout of [200, 1000, 5000]) {
      const { play, sent } = longPage();
      const { folder, ask } = await bench(name, play, { sendTimeout });
      const { body } = await ask();
      const isEnded = (await sent[0]) === size && openFilesIn(folder) === 1;
      if (!isEnded && sendTimeout < 5000) continue;
      expect(isEnded).toBe(true);
      const broken = once(body, 'error');
      await expect.poll(() => openFilesIn(folder), { timeout: 3 * sendTimeout + 5000 }).toBe(0);
      body.resume();
      await broken;
      return;
    }
  }, 40_000);
});

// whose server writes the error into the page, and ends it well
describe.each(adapters.map(({ name }) => name).filter((name) => name !== 'Hono'))('through %s', (name) => {
  it('a page that PHP does not end well gives its client what came before, and no good end', async () => {
    const { folder, errors, ended, ask } = await bench(name, async (exchange) => {
      exchange.head(200);
      await send(exchange);
      exchange.fail(new Error('the worker died'));
    });
    const opened = await ask();
    await expect.poll(() => ended).toEqual([200]);
    const { length, isRight, failed } = await read(opened);
    expect({ isRight, failed }).toEqual({ isRight: true, failed: true });
    // of the last pieces some servers throw away what their client has not asked for
    expect(length).toBeGreaterThan(size - MiB);
    expect(errors).toEqual(['Error: the worker died']);
    await expect.poll(() => openFilesIn(folder)).toBe(0);
  });
});
