/** PHP's head on node's response, as others see it who have wrapped or filled that response before. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHandler, type NodeHandler } from '../../../src/gateway/node.ts';
import { answer, FakeDispatcher, type Play } from '../fake-dispatcher.ts';
import { rawServer } from '../raw.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function handler(play: Play, errors: unknown[] = []): NodeHandler {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  return createHandler(new FakeDispatcher(play), {
    root: site.root,
    onError: (error) => void errors.push(error),
  });
}

async function head(play: Play, before: (response: http.ServerResponse) => void = () => {}): Promise<string> {
  const php = handler(play);
  const server = await rawServer((request, response) => {
    if (response instanceof http.ServerResponse) before(response);
    php(request, response);
  });
  closing.push(() => server.close());
  const { text } = await server.exchange('GET /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  return text.slice(0, text.indexOf('\r\n\r\n'));
}

const page = (...fields: string[]): Play => answer(200, fields, 'page');

describe('on the wire', () => {
  it.each([
    ['a length', ['Content-Length', '4']],
    ['no length', []],
  ])(
    'a Transfer-Encoding that a middleware set stands beside no Content-Length: PHP gives %s',
    async (_, fields) => {
      const text = await head(page(...fields), (response) =>
        response.setHeader('Transfer-Encoding', 'chunked'),
      );
      expect(text.match(/^(?:content-length|transfer-encoding): .*$/gim)).toEqual(
        [fields.length > 0 ? 'Content-Length: 4' : 'Transfer-Encoding: chunked'].map((line) =>
          expect.stringContaining(line),
        ),
      );
    },
  );

  it('names have the case that PHP gave them, and every cookie a line of its own', async () => {
    const text = await head(page('X-CaSe', '1', 'Set-Cookie', 'a=1', 'x-OTHER', '2', 'set-cookie', 'b=2'));
    expect(text).toMatch(/^X-CaSe: 1\r$/m);
    expect(text).toMatch(/^x-OTHER: 2\r$/m);
    expect(text.match(/^set-cookie: .*$/gim)).toEqual(
      ['Set-Cookie: a=1\r', 'Set-Cookie: b=2\r'].map((l) => expect.stringMatching(new RegExp(l.trim(), 'i'))),
    );
  });

  it.each(['Set-Cookie', 'Vary', 'Link'])(
    '4,000 fields of %s are 4,000 values to node, and not millions',
    async (name) => {
      const set: number[] = [];
      const fields = Array.from({ length: 4000 }, (_, i) => [name, String(i)]).flat();
      const text = await head(page(...fields), (response) => {
        const { setHeader } = response;
        response.setHeader = (key, value) => {
          if (key === name) set.push([value].flat().length);
          return setHeader.call(response, key, value);
        };
      });
      expect(text.split('\r\n').filter((line) => line.startsWith(`${name}: `))).toEqual(
        Array.from({ length: 4000 }, (_, i) => `${name}: ${i}`),
      );
      expect(set).toEqual([4000]);
    },
  );

  it('what a middleware set goes, but Set-Cookie and Vary, to which PHP adds', async () => {
    const text = await head(page('Vary', 'Cookie', 'Set-Cookie', 'php=1', 'X-A', 'php'), (response) => {
      response.setHeader('Vary', 'Origin');
      response.setHeader('Set-Cookie', ['node=1']);
      response.setHeader('X-A', 'node');
      response.setHeader('Content-Length', '999');
      response.statusCode = 404;
      response.statusMessage = 'Gone Fishing';
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r$/m);
    expect(text.match(/^Vary: .*$/gm)).toEqual(
      ['Vary: Origin\r', 'Vary: Cookie\r']
        .map((line) => line.trim())
        .map((line) => expect.stringContaining(line)),
    );
    expect(text.match(/^Set-Cookie: \w+/gm)).toEqual(['Set-Cookie: node', 'Set-Cookie: php']);
    expect(text.match(/^X-A: .*$/gm)).toHaveLength(1);
    expect(text).toContain('X-A: php\r');
    expect(text.match(/^Content-Length: \d+/gm)).toEqual(['Content-Length: 4']);
  });

  it('nothing of a head that failed is left in the error in its place', async () => {
    const text = await head((exchange) => {
      exchange.head(200, ['Content-Encoding', 'gzip', 'ETag', '"1"']);
      exchange.fail(new Error('gone'));
    });
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r$/m);
    expect(text).not.toMatch(/Content-Encoding|ETag/);
  });
});

it('whoever wraps write() and end() gets bytes, never text', async () => {
  const chunks: unknown[] = [];
  await head(
    async (exchange) => {
      exchange.head(200, ['X', 'caf\xe9']);
      await new Promise((resolve) => setImmediate(resolve));
      for (const piece of ['a', 'b']) exchange.data(piece);
      exchange.end();
    },
    (response) => {
      for (const name of ['write', 'end'] as const) {
        const plain = response[name].bind(response) as (...args: unknown[]) => never;
        response[name] = (chunk?: unknown, ...rest: unknown[]) => {
          if (chunk !== undefined) chunks.push(chunk);
          return plain(chunk, ...rest);
        };
      }
    },
  );
  expect(chunks.every((chunk) => Buffer.isBuffer(chunk))).toBe(true);
  expect(Buffer.concat(chunks as Buffer[]).toString()).toBe('ab');
});

it.each([
  ['text/event-stream', ['Content-Type', 'text/event-stream']],
  ['X-Accel-Buffering: no', ['Content-Type', 'text/html', 'X-Accel-Buffering', 'no']],
])('each event of %s is flushed, where the response can', async (_, fields) => {
  let flushed = 0;
  await head(
    async (exchange) => {
      exchange.head(200, fields);
      for (const event of ['1', '2', '3']) {
        exchange.data(event);
        await new Promise((resolve) => setImmediate(resolve));
      }
      exchange.end();
    },
    (response) => Object.assign(response, { flush: () => flushed++ }),
  );
  expect(flushed).toBe(3);
});

it('a head that HTTP/2 cannot carry is 502, and the log is told', async () => {
  const errors: unknown[] = [];
  const big = Array.from({ length: 20 }, (_, i) => [`X-${i}`, 'x'.repeat(4000)]).flat();
  const server = http2.createServer(handler(page(...big), errors)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closing.push(
    () => server.close(),
    () => session.destroy(),
  );
  const [got] = await once(session.request({ ':path': '/a.php' }), 'response');
  expect(got[':status']).toBe(502);
  expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_HEAD_TOO_LARGE' })]);
});

it('HTTP/1.0 with a transfer coding is 400, and its connection closed', async () => {
  const server = await rawServer(handler(page()));
  closing.push(() => server.close());
  const { text } = await server.exchange(
    'POST /a.php HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r$/m);
  expect(text).toMatch(/^Connection: close\r$/m);
});

describe('a client that has all it was promised, and goes', () => {
  const slow =
    (fields: string[], data: string): Play =>
    (exchange) => {
      exchange.head(200, fields);
      if (data !== '') exchange.data(data);
    };

  it.each([
    ['HEAD', 'a HEAD', slow(['X', '1'], '')],
    ['GET', 'a page of a given length', slow(['Content-Length', '4'], 'page')],
  ])('lets the script end: %s, %s', async (method, _, play) => {
    const site = tempSite({ 'a.php': '' });
    closing.push(site.remove);
    const php = new FakeDispatcher(play);
    const server = http.createServer(createHandler(php, { root: site.root })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const request = http.request({ port, path: '/a.php', method, agent: false }).end();
    const [[response], exchange] = await Promise.all([once(request, 'response'), php.next()]);
    if (method === 'GET') await once(response, 'data');
    const closed = once(server, 'gone');
    exchange.gone.then(() => server.emit('gone', 'aborted'));
    const [socket] = [request.socket];
    socket?.destroy();
    // the server has seen the end when it has answered somebody who came later
    const later = http.get({ port, path: '/none', agent: false });
    const [next] = await once(later, 'response');
    next.resume();
    await once(next, 'end');
    server.emit('gone', 'not aborted');
    expect(await closed).toEqual(['not aborted']);
    expect(exchange.aborted).toBe(false);
  });
});
