/** Whatever bytes a client or PHP sends, the process lives on and serves the next request. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { within } from '../fpm/support/index.ts';
import { type Ask, adapters, type Client } from './adapters.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { type RawServer, rawServer } from './raw.ts';
import { tempSite } from './temp-site.ts';

const site = tempSite({ 'index.php': '', 'a.php': '', 'sub/index.php': '' });
mkdirSync(join(site.outside, 'files'));
writeFileSync(join(site.outside, 'files', 'x'), 'x');
afterAll(site.remove);

// what is thrown where nobody listens would end a server
const lost: unknown[] = [];
const note = (error: unknown): void => void lost.push(error);
beforeAll(() => {
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
});
afterAll(() => {
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
});
afterEach(() => {
  expect(lost).toEqual([]);
});

const options = {
  root: site.root,
  frontController: '/index.php',
  trustedProxies: ['127.0.0.1'],
  forwardedHeaders: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'],
  xAccelRedirect: { '/protected/': join(site.outside, 'files') },
  xSendfile: [join(site.outside, 'files')],
  bodyReadTimeout: 50,
  maxBodySize: 100_000,
  spoolMemory: 100,
} as const;

const bytes = fc.uint8Array({ maxLength: 12 }).map((piece) => Buffer.from(piece).toString('latin1'));
const value = fc.oneof(
  bytes,
  fc.constantFrom(
    '1',
    '-1',
    '99999999999999999999',
    'chunked',
    '100-continue',
    'close',
    'h2c',
    '1.2.3.4, ,',
    '[::1]:x',
  ),
);
const line = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Expect',
      'Connection',
      'Upgrade',
      'Content-Type',
    ),
    fc.constantFrom(
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Port',
      'Range',
      'Cookie',
    ),
    bytes,
  ),
  value,
);
const request = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT') },
      { weight: 1, arbitrary: bytes },
    ),
    fc.oneof(
      fc.constantFrom('/a.php', '/', '/sub', '*', 'http://h/a.php', '//', '/a.php/x?y'),
      bytes.map((text) => `/${text}`),
    ),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', ''),
    fc.array(line, { maxLength: 4 }),
    fc.oneof(bytes, fc.constantFrom('3\r\nabc\r\n0\r\n\r\n', '3\r\nab', 'ffffffffff\r\n')),
  )
  .map(([method, target, protocol, lines, body]) => {
    const head = [
      `${method} ${target} ${protocol}`,
      'Host: h',
      ...lines.map(([name, text]) => `${name}: ${text}`),
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  });

describe('a client', () => {
  let server: RawServer;
  const php = new FakeDispatcher(async (exchange) => {
    await exchange.body();
    answer(200, ['Content-Type', 'text/plain'], 'ok')(exchange);
  });
  beforeAll(async () => {
    server = await rawServer(createHandler(php, options));
  });
  afterAll(() => server.close());

  it('that sends anything at all, and goes, leaves a server that answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (requests, isRude) => {
          const socket = await server.open();
          socket.on('error', () => {});
          const closed = new Promise((resolve) => socket.once('close', resolve));
          socket.resume();
          socket.on('end', () => socket.end());
          socket.write(Buffer.concat(requests));
          if (isRude) socket.resetAndDestroy();
          else socket.end();
          const next = await server.exchange('GET /a.php HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
          expect(next.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
          socket.destroy();
          await closed;
        },
      ),
      { numRuns: 300 },
    );
    expect(php.exchanges.length).toBeGreaterThan(300);
  }, 60_000);
});

const phpHeader = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      'Content-Length',
      'Content-Type',
      'Connection',
      'X-Accel-Redirect',
      'X-Sendfile',
      'Set-Cookie',
    ),
    fc.constantFrom(
      'X-Accel-Buffering',
      'Location',
      ':status',
      'Date',
      'Transfer-Encoding',
      'Content-Range',
      'Trailer',
    ),
    bytes,
  ),
  fc.oneof(
    value,
    fc.constantFrom('/protected/x', '/protected/', '/etc/passwd', join(site.outside, 'files', 'x'), 'no'),
  ),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }).map((piece) => ({ data: Buffer.from(piece) })) },
  { weight: 1, arbitrary: fc.constantFrom({ tick: true }, { data: Buffer.alloc(100_000) }) },
);
const script = fc.record({
  status: fc.oneof(fc.constantFrom(200, 204, 206, 304, 404, 500, 100, 101, 103, 599, 600, 999), fc.nat(1200)),
  phrase: bytes,
  headers: fc.array(phpHeader, { maxLength: 5 }),
  steps: fc.array(step, { maxLength: 5 }),
  end: fc.constantFrom('ends', 'fails', 'fails with nothing'),
  method: fc.constantFrom('GET', 'HEAD', 'POST'),
});

describe.each(['node:http', 'node:http2', 'fetch'])('PHP, through %s,', (name) => {
  let client: Client;
  let play: Play = answer(200, [], 'ok');
  beforeAll(async () => {
    const adapter = adapters.find((each) => each.name === name);
    if (!adapter) throw new Error(`There is no adapter ${name}`);
    client = await adapter.serve(new FakeDispatcher((exchange) => play(exchange)), options);
  });
  afterAll(() => client.close());

  /** To its end, whichever that is. */
  async function ask(asked: Ask): Promise<{ status: number; text: string } | null> {
    try {
      const { status, body } = await within(client.open(asked), 2000, 'an answer');
      let text = '';
      for await (const chunk of body) text += Buffer.from(chunk).toString('latin1');
      return { status, text };
    } catch (error) {
      if (error instanceof Error && error.message.includes('did not happen')) throw error;
      return null;
    }
  }

  it('may answer anything at all: the reply ends, and the next one is whole', async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ status, phrase, headers, steps, end, method }) => {
        play = async (exchange) => {
          exchange.head(status, headers.flat(), phrase);
          for (const one of steps) {
            if ('data' in one) exchange.data(one.data);
            else await new Promise((resolve) => setImmediate(resolve));
          }
          if (end === 'ends') exchange.end();
          else exchange.fail(end === 'fails' ? new Error('worker died') : undefined);
        };
        await ask({ path: '/a.php', method });
        play = answer(200, [], 'ok');
        expect(await ask({ path: '/a.php' })).toEqual({ status: 200, text: 'ok' });
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
