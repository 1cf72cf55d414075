import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { createHandler, type NodeHandler, type NodeRequest } from '../../src/gateway/node.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { openFiles } from './open-files.ts';
import { type RawServer, rawServer, responses } from './raw.ts';
import { tempSite } from './temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Bench {
  readonly php: FakeDispatcher;
  readonly server: RawServer;
  readonly errors: unknown[];
}

async function bench(
  play?: Play,
  options: GatewayOptions<NodeRequest> = {},
  wrap: (handler: NodeHandler) => NodeHandler = (handler) => handler,
): Promise<Bench> {
  const site = tempSite({ 'index.php': '', 'a.php': '', 'sub/index.php': '', '\\evil/index.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher(play);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await rawServer(wrap(createHandler(php, { root: site.root, onError, ...options })));
  closing.push(() => server.close());
  return { php, server, errors };
}

function get(target: string, ...headers: string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: a.example', 'Connection: close', ...headers, '', ''].join('\r\n');
}

describe('a request line', () => {
  it.each(['/../a.php', '/%2e%2e/a.php', '/sub/..%2f../a.php', '/a.php%00', '/a.php%0a', '/%zz'])(
    '%s is 400',
    async (target) => {
      const { server, php } = await bench();
      expect((await server.exchange(get(target))).text).toMatch(/^HTTP\/1\.1 400 /);
      expect(php.exchanges).toHaveLength(0);
    },
  );

  it.each([
    ['//sub', '/sub/'],
    ['//sub?//evil.example', '/sub/?//evil.example'],
    ['/sub/../sub', '/sub/'],
    ['/\\evil', '/%5Cevil/'],
    ['/%5cevil', '/%5Cevil/'],
    ['/%2fsub', '/sub/'],
  ])('%s is redirected within this site, to %s', async (target, location) => {
    const { server } = await bench();
    expect((await server.exchange(get(target))).text).toContain(`\r\nLocation: ${location}\r\n`);
  });

  it('with a whole URL counts for host and path', async () => {
    const { server, php } = await bench();
    await server.exchange(get('http://b.example:81/a.php?x'));
    expect(php.params).toMatchObject({
      HTTP_HOST: 'b.example:81',
      SERVER_NAME: 'b.example',
      REQUEST_URI: '/a.php?x',
    });
  });

  it('with escapes reaches PHP byte for byte; for the bytes themselves it is named (Node 20.19), or node refuses them', async () => {
    const { server, php } = await bench();
    await server.exchange(get('/a.php/%ff%E9?%fe'));
    expect(php.params).toMatchObject({
      PATH_INFO: '/\xff\xe9',
      REQUEST_URI: '/a.php/%ff%E9?%fe',
      QUERY_STRING: '%fe',
    });
    const raw = Buffer.from(get('/a.php/\xff?\xfe'), 'latin1');
    expect((await server.exchange(raw)).text).toMatch(
      /^HTTP\/1\.1 (?:400 |308 [\s\S]*\r\nLocation: \/a\.php\/%FF\?%FE\r\n)/,
    );
  });

  it('TRACE is 405, and PHP is not asked', async () => {
    const { server, php } = await bench();
    expect((await server.exchange(get('/a.php').replace('GET', 'TRACE'))).text).toMatch(/^HTTP\/1\.1 405 /);
    expect(php.exchanges).toHaveLength(0);
  });

  it.each(['OPTIONS *', 'GET a.php'])('%s is 400', async (start) => {
    const { server } = await bench();
    expect((await server.exchange(get('/').replace('GET /', start))).text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('request headers', () => {
  it('with two hosts, or a host that is none, are 400', async () => {
    const { server, errors } = await bench();
    expect((await server.exchange(get('/a.php', 'Host: b.example'))).text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await server.exchange(get('/a.php').replace('a.example', 'a/b'))).text).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(errors).toEqual([
      expect.objectContaining({ option: 'headers' }),
      expect.objectContaining({ option: 'headers' }),
    ]);
  });

  it('that repeat are joined, aliases and httpoxy dropped', async () => {
    const { server, php } = await bench();
    await server.exchange(
      get('/a.php', 'X-A: 1', 'x-a: 2', 'Cookie: a=1', 'Cookie: b=2', 'X_A: 3', 'Proxy: evil'),
    );
    expect(php.params).toMatchObject({ HTTP_X_A: '1, 2', HTTP_COOKIE: 'a=1; b=2' });
    expect(php.params).not.toHaveProperty('HTTP_PROXY');
  });

  it('say who asked, from where and to where', async () => {
    const { server, php } = await bench();
    await server.exchange(get('/a.php'));
    expect(php.params).toMatchObject({
      REMOTE_ADDR: '127.0.0.1',
      SERVER_ADDR: '127.0.0.1',
      SERVER_PORT: String(server.port),
      SERVER_NAME: 'a.example',
      SERVER_PROTOCOL: 'HTTP/1.1',
    });
    expect(php.params['REMOTE_PORT']).toMatch(/^\d+$/);
  });
});

describe('a connection', () => {
  it('whose client leaves with requests in line holds no worker and no file for them', async () => {
    const site = tempSite({ 'a.php': '', 'big.bin': 'x'.repeat(200_000) });
    closing.push(site.remove);
    const php = new FakeDispatcher(() => {});
    const handler = createHandler(php, { root: site.root, files: true, onError: () => {} });
    let came = 0;
    let allCame = (): void => {};
    const all = new Promise<void>((resolve) => {
      allCame = resolve;
    });
    const server = await rawServer((request, response) => {
      handler(request, response);
      came += 1;
      if (came === 3) allCame();
    });
    closing.push(() => server.close());
    const keep = (target: string): string => get(target).replace('Connection: close\r\n', '');
    const socket = await server.open();
    socket.write(keep('/a.php?1') + keep('/big.bin') + keep('/a.php?2'));
    await all;
    socket.destroy();
    await php.exchanges[0]?.gone;
    expect(php.exchanges.filter(({ aborted }) => !aborted)).toEqual([]);
    expect(openFiles(`${site.root}/big.bin`)).toBe(0);
  });

  it('runs each of several in its own async context, though it waits for the one before', async () => {
    const store = new AsyncLocalStorage<string>();
    const { php, server } = await bench(
      undefined,
      { params: () => ({ STORE: store.getStore() ?? '' }) },
      (handler) => (request, response) => store.run(request.url ?? '', () => handler(request, response)),
    );
    await server.exchange(get('/a.php?1').replace('Connection: close\r\n', '') + get('/a.php?2'));
    expect(php.exchanges.map(({ params }) => params['STORE'])).toEqual(['/a.php?1', '/a.php?2']);
  });

  it('answers pipelined requests in order', async () => {
    const { server } = await bench((exchange) =>
      answer(200, ['Content-Length', '1'], exchange.params['QUERY_STRING'])(exchange),
    );
    const keep = (target: string): string => get(target).replace('Connection: close\r\n', '');
    const { text } = await server.exchange(
      keep('/a.php?1') + keep('/none') + keep('/a.php?2') + get('/a.php?3'),
    );
    expect(responses(text).map((response) => response.slice(9, 12) + response.slice(-1))).toEqual([
      '2001',
      '404\n',
      '2002',
      '2003',
    ]);
  });

  it('serves the next request after a body that nobody wanted', async () => {
    const { server } = await bench(undefined, { maxBodySize: 10 });
    const big = 'x'.repeat(300_000);
    const post = (target: string, framing: string, body: string): string =>
      `POST ${target} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`;
    const { text } = await server.exchange(
      post('/a.php', `Content-Length: ${big.length}`, big) +
        post('/a.php', 'Transfer-Encoding: chunked', `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`) +
        post('/none', `Content-Length: ${big.length}`, big) +
        get('/a.php'),
    );
    expect(responses(text).map((response) => response.slice(9, 12))).toEqual(['413', '413', '404', '200']);
  });

  it.each([
    ['says Connection: close', 'HTTP/1.1\r\nHost: a\r\nConnection: close'],
    // nginx's proxy_pass, where nothing else is said: it took the reset for a bad gateway
    ['speaks HTTP/1.0', 'HTTP/1.0'],
  ])('that %s, and whose body is refused, is not reset while it is sent', async (_, lines) => {
    const { server } = await bench(undefined, { maxBodySize: 10 });
    const socket = await server.open();
    const failures: unknown[] = [];
    socket.on('error', (error) => failures.push(error));
    const piece = Buffer.alloc(1024 * 1024);
    socket.write(`POST /a.php ${lines}\r\nContent-Length: ${20 * piece.length}\r\n\r\n`);
    for (let nth = 0; nth < 20; nth++) {
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(failures).toEqual([]);
  });

  it('that is the last, and refused, has nothing run that comes behind it', async () => {
    const { server, php } = await bench(undefined, { maxBodySize: 10 });
    const { text } = await server.exchange(
      `POST /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}${get('/a.php')}`,
    );
    expect(responses(text).map((response) => response.slice(9, 12))).toEqual(['413']);
    expect(php.exchanges).toHaveLength(0);
  });

  it('serves the next request where PHP answered before it had read the body', async () => {
    const { server } = await bench();
    const big = 'x'.repeat(300_000);
    const { text } = await server.exchange(
      `POST /a.php HTTP/1.1\r\nHost: a\r\nContent-Length: ${big.length}\r\n\r\n${big}${get('/a.php')}`,
    );
    expect(responses(text).map((response) => response.slice(9, 12))).toEqual(['200', '200']);
  });

  it('of HTTP/1.0 is reset where the page is cut short, as its end would look like the end of the page', async () => {
    const { server, php } = await bench((exchange) => {
      exchange.head(200);
      exchange.data('half a page');
    });
    const asked = php.next();
    const socket = await server.open();
    const died = once(socket, 'error').then(([error]) => error.code);
    socket.write('GET /a.php HTTP/1.0\r\n\r\n');
    const exchange = await asked;
    for (let text = ''; !text.includes('half a page'); ) text += String((await once(socket, 'data'))[0]);
    exchange.fail(new Error('worker died'));
    expect(await died).toBe('ECONNRESET');
  });

  it.each(['1.0', '1.1'])(
    'of HTTP/%s gets what there is of a page shorter than its Content-Length, then its end',
    async (version) => {
      const { server, errors } = await bench(async (exchange) => {
        exchange.head(200, ['Content-Length', '100']);
        exchange.data('half a page');
        await new Promise((resolve) => setImmediate(resolve));
        exchange.data(', and more');
        exchange.end();
      });
      const got = await server.exchange(`GET /a.php HTTP/${version}\r\nHost: a\r\n\r\n`);
      expect(got).toEqual({ text: expect.stringMatching(/\r\n\r\nhalf a page, and more$/), error: '' });
      expect(errors).toHaveLength(1);
    },
  );

  it('of HTTP/1.0 is closed at the end of a page', async () => {
    const { server, php } = await bench(answer(200, [], 'whole'));
    const { text, error } = await server.exchange('GET /a.php HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/\r\n\r\nwhole$/);
    expect(text).not.toMatch(/chunked/i);
    expect(error).toBe('');
    expect(php.params['SERVER_PROTOCOL']).toBe('HTTP/1.0');
  });

  it.each([
    ['an upload', 'Content-Length: 1000', 'some'],
    ['a chunked upload', 'Transfer-Encoding: chunked', '4\r\nsome\r\n'],
  ])('that breaks off in the middle of %s never reaches PHP', async (_, framing, body) => {
    const { server, php, errors } = await bench();
    const socket = await server.open();
    socket.write(`POST /a.php HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
    socket.resetAndDestroy();
    expect((await server.exchange(get('/none'))).text).toMatch(/^HTTP\/1\.1 404 /);
    expect({ asked: php.exchanges.length, errors }).toEqual({ asked: 0, errors: [] });
  });

  it('that breaks off in an upload that streams fails the request, and nothing else', async () => {
    const { server, php, errors } = await bench(
      async (exchange) => {
        await exchange.body();
      },
      { requestBuffering: false },
    );
    const asked = php.next();
    const socket = await server.open();
    socket.write('POST /a.php HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome');
    const exchange = await asked;
    socket.destroy();
    await exchange.gone;
    expect(errors).toEqual([]);
    expect((await server.exchange(get('/none'))).text).toMatch(/^HTTP\/1\.1 404 /);
  });

  it.each([true, false])(
    'whose client stalls in an upload is told 408 and closed (requestBuffering: %s)',
    async (requestBuffering) => {
      const { server, php, errors } = await bench(
        async (exchange) => {
          await exchange.body();
        },
        { requestBuffering, bodyReadTimeout: 50 },
      );
      const { text } = await server.exchange(
        'POST /a.php HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome',
      );
      expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      expect(text).toMatch(/\r\nConnection: close\r\n/i);
      expect(php.exchanges).toHaveLength(requestBuffering ? 0 : 1);
      expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_BODY_LENGTH' })]);
    },
  );

  it('gets 100 Continue where it waits for it', async () => {
    const { server } = await bench(async (exchange) =>
      answer(200, [], String(await exchange.body()))(exchange),
    );
    const socket = await server.open();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write(
      'POST /a.php HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
    );
    await expect.poll(() => text).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('body');
    await once(socket, 'end');
    socket.destroy();
    expect(text).toMatch(/\r\n\r\nbody$/);
  });

  it('gets each piece as PHP flushes it', async () => {
    const { server, php } = await bench((exchange) => {
      exchange.head(200, ['Content-Type', 'text/event-stream']);
    });
    const asked = php.next();
    const socket = await server.open();
    socket.write(get('/a.php'));
    const exchange = await asked;
    for (const piece of ['data: 1\n\n', 'data: 2\n\n']) {
      exchange.data(piece);
      for (let text = ''; !text.includes(piece); ) text += String((await once(socket, 'data'))[0]);
    }
    exchange.end();
    socket.destroy();
  });
});

describe('in front of or behind other handlers', () => {
  /** What connect and Express do with app.use('/blog', handler). */
  const mountedAt =
    (mount: string) =>
    (handler: NodeHandler): NodeHandler =>
    (request, response) => {
      const originalUrl = request.url ?? '';
      const rest = originalUrl.slice(mount.length);
      Object.assign(request, { originalUrl });
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
      handler(request, response);
    };

  it('a mounted site finds its scripts below its root, and tells PHP the whole path', async () => {
    const { server, php } = await bench(undefined, { fpmRoot: '/srv' }, mountedAt('/my%20blog'));
    await server.exchange(get('/my%20blog/a.php/x?y'));
    expect(php.params).toMatchObject({
      SCRIPT_FILENAME: '/srv/a.php',
      SCRIPT_NAME: '/my blog/a.php',
      PATH_INFO: '/x',
      DOCUMENT_URI: '/my blog/a.php/x',
      REQUEST_URI: '/my%20blog/a.php/x?y',
      QUERY_STRING: 'y',
    });
  });

  it('a mounted site is redirected to its slash, and its folders below it', async () => {
    const { server, php } = await bench(undefined, {}, mountedAt('/blog'));
    expect((await server.exchange(get('/blog?x'))).text).toContain('\r\nLocation: /blog/?x\r\n');
    expect((await server.exchange(get('/blog/sub'))).text).toContain('\r\nLocation: /blog/sub/\r\n');
    await server.exchange(get('/blog/'));
    expect(php.params).toMatchObject({ SCRIPT_NAME: '/blog/index.php' });
  });

  it("next() gets what is not PHP's, and never PHP source", async () => {
    const passed: (string | undefined)[] = [];
    const { server } = await bench(undefined, {}, (handler) => (request, response) => {
      handler(request, response, () => {
        passed.push(request.url);
        response.end('static');
      });
    });
    expect((await server.exchange(get('/style.css'))).text).toContain('static');
    expect((await server.exchange(get('/none.php'))).text).toContain('static');
    expect((await server.exchange(get('/a.php'))).text).toContain('ok');
    expect(passed).toEqual(['/style.css', '/none.php']);
  });

  it("cookies of a middleware stay beside those of PHP, other headers are PHP's", async () => {
    const { server } = await bench(
      answer(
        200,
        ['Set-Cookie', 'p=1', 'Set-Cookie', 'q=2', 'X-Powered-By', 'PHP', 'Link', 'a', 'Link', 'b'],
        'ok',
      ),
      {},
      (handler) => (request, response) => {
        response.setHeader('Set-Cookie', 'm=0');
        response.setHeader('X-Powered-By', 'Express');
        handler(request, response);
      },
    );
    const { text } = await server.exchange(get('/a.php'));
    expect(text.match(/^(set-cookie|x-powered-by|link): .*(?=\r)/gim)).toEqual([
      'Set-Cookie: m=0',
      'Set-Cookie: p=1',
      'Set-Cookie: q=2',
      'X-Powered-By: PHP',
      'Link: a',
      'Link: b',
    ]);
  });

  it("a response that another handler has begun is broken off, not mixed with PHP's", async () => {
    const { server, errors } = await bench(undefined, {}, (handler) => (request, response) => {
      if ('stream' in response) return;
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.write('begun');
      handler(request, response);
    });
    expect((await server.exchange(get('/a.php'))).text).not.toContain('ok');
    expect(errors).toHaveLength(1);
  });

  it("a phrase of PHP goes out, else node's own", async () => {
    const { server } = await bench((exchange) => {
      answer(404, [], '', exchange.params['QUERY_STRING'] ?? '')(exchange);
    });
    expect((await server.exchange(get('/a.php?Gone'))).text).toMatch(/^HTTP\/1\.1 404 Gone\r\n/);
    expect((await server.exchange(get('/a.php'))).text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });
});

it('over TLS PHP sees HTTPS', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher();
  // a key known to both needs no certificate
  const psk = { psk: Buffer.from('00112233445566778899aabbccddeeff', 'hex'), identity: 'test' };
  const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
  const server = https.createServer(
    { ...tls, pskCallback: () => psk.psk },
    createHandler(php, { root: site.root }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = {
    ...tls,
    pskCallback: () => psk,
    checkServerIdentity: () => undefined,
    agent: false,
  } as const;
  const request = https.get({ host: '127.0.0.1', port, path: '/a.php', ...client });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  expect(php.params).toMatchObject({ HTTPS: 'on', REQUEST_SCHEME: 'https', SERVER_PORT: String(port) });
});

it("the hooks are given Express's own request, and know its type without being told", async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher();
  const app = express();
  app.use(createHandler(php, { root: site.root, params: (request) => ({ X_PATH: request.originalUrl }) }));
  const server = await rawServer(app);
  closing.push(() => server.close());
  await server.exchange(get('/a.php?b'));
  expect(php.params).toMatchObject({ X_PATH: '/a.php?b' });
});

it('a header that a guard has taken away is none of the client, one that it has set is', async () => {
  const { php, server } = await bench(undefined, {}, (handler) => (request, response, next) => {
    delete request.headers['x-remote-user'];
    request.headers['x-user'] = 'alice';
    handler(request, response, next);
  });
  await server.exchange(get('/a.php', 'X-Remote-User: root', 'X-User: mallory', 'X-Other: 1'));
  expect(php.params).toMatchObject({ HTTP_X_USER: 'alice', HTTP_X_OTHER: '1' });
  expect(php.params).not.toHaveProperty('HTTP_X_REMOTE_USER');
});

it('a request that was made up for the handler has the headers and the address that it was given', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher();
  const handler = createHandler(php, { root: site.root });
  // as serverless-http makes it: no list of headers, an address without a port
  const request = new http.IncomingMessage(
    Object.defineProperty(new Socket(), 'remoteAddress', { value: '192.0.2.7' }),
  );
  const headers = { host: 'a.example', cookie: 'a=1', 'content-length': '0' };
  Object.assign(request, { method: 'GET', url: '/a.php', httpVersion: '1.1', httpVersionMajor: 1, headers });
  const asked = php.next();
  handler(request, new http.ServerResponse(request));
  await asked;
  expect(php.params).toMatchObject({
    HTTP_HOST: 'a.example',
    HTTP_COOKIE: 'a=1',
    SERVER_NAME: 'a.example',
    REMOTE_ADDR: '192.0.2.7',
  });
  expect(php.params).not.toHaveProperty('REMOTE_PORT');
});

it('one that has no list of headers at all has them, too, and a body without a length', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const php = new FakeDispatcher();
  // as hapi's inject() makes it
  const request = Object.assign(Readable.from([Buffer.from('a=1')]), {
    method: 'POST',
    url: '/a.php',
    httpVersion: '1.1',
    headers: { host: 'a.example', 'content-type': 'application/x-www-form-urlencoded' },
    socket: { remoteAddress: '192.0.2.7' },
  }) as unknown as http.IncomingMessage;
  const response = new http.ServerResponse(request);
  response.assignSocket(new Writable({ write: (_chunk, _encoding, done) => done() }) as Socket);
  const asked = php.next();
  createHandler(php, { root: site.root })(request, response);
  await asked;
  expect(php.params).toMatchObject({ HTTP_HOST: 'a.example', REMOTE_ADDR: '192.0.2.7', CONTENT_LENGTH: '3' });
  expect(String(await php.exchanges[0]?.body())).toBe('a=1');
});

it('one that has no socket is answered, and PHP is told of no client', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const errors: unknown[] = [];
  const php = new FakeDispatcher(answer(200, ['Content-Type', 'text/plain'], 'page'));
  const handler = createHandler(php, { root: site.root, onError: (error) => errors.push(error) });
  // as fetch-to-node makes it
  const request = Object.assign(Readable.from([Buffer.from('a=1')]), {
    method: 'POST',
    url: '/a.php',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'a.example', 'Content-Type', 'text/plain', 'Connection', 'close'],
    headers: { host: 'a.example', 'content-type': 'text/plain', connection: 'close' },
    complete: false,
    socket: null,
  }) as unknown as http.IncomingMessage;
  const response = new http.ServerResponse(request);
  let sent = '';
  const socket = new Writable({
    write: (chunk, _encoding, done) => {
      sent += chunk;
      done();
    },
  });
  response.assignSocket(socket as Socket);
  handler(request, response);
  await once(response, 'finish');
  expect(errors).toEqual([]);
  expect(sent).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\npage$/s);
  expect(php.params).toMatchObject({ HTTP_HOST: 'a.example', CONTENT_LENGTH: '3' });
  expect(php.params).not.toHaveProperty('REMOTE_ADDR');
});

it('a response that was made up for the handler may stand on what is no socket', async () => {
  const site = tempSite({ 'a.php': '' });
  closing.push(site.remove);
  const errors: unknown[] = [];
  const pages = new FakeDispatcher(async (exchange) => {
    exchange.head(200);
    for (let i = 0; i < 5; i++) exchange.data(Buffer.alloc(100_000));
    exchange.end();
  });
  const handler = createHandler(pages, { root: site.root, onError: (error) => errors.push(error) });
  const request = new http.IncomingMessage(new Socket());
  Object.assign(request, {
    method: 'GET',
    url: '/a.php',
    httpVersion: '1.1',
    httpVersionMajor: 1,
    headers: {},
  });
  const response = new http.ServerResponse(request);
  let bytes = 0;
  // as light-my-request has it
  const sink = new Writable({
    highWaterMark: 1000,
    write(chunk, _encoding, done) {
      bytes += chunk.length;
      setImmediate(done);
    },
  });
  response.assignSocket(sink as Socket);
  const finished = once(response, 'finish');
  handler(request, response);
  await finished;
  expect(errors).toEqual([]);
  expect(bytes).toBeGreaterThan(500_000);
});
