import { once } from 'node:events';
import { Agent, createServer, type RequestListener, request, type Server } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { AccessLog, type AccessLogOptions } from '../../../../src/cli/serve/log/access-log.ts';
import { clfDate } from '../../../../src/cli/serve/log/clf-date.ts';
import { LineBuffer } from '../../../../src/cli/serve/log/line-buffer.ts';
import { garbageCollector } from '../../../fpm/support/gc.ts';
import { tempDir } from '../../../fpm/support/temp.ts';
import { waitFor } from '../../../fpm/support/wait.ts';
import { http1 } from '../../support/handler.ts';

const temp = tempDir();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const date = new Date('2026-11-23T06:54:31.999Z');

async function logged(
  handler: RequestListener,
  { trustedProxies = [], ...options }: Partial<AccessLogOptions> & { trustedProxies?: string[] } = {},
  place: { path: string } | { host: string } = { host: '127.0.0.1' },
): Promise<{ port: number; lines: (count: number) => Promise<string[]> }> {
  const out = new PassThrough();
  let said = '';
  out.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const log = new AccessLog(out, { logFormat: 'combined', ...options }, () => date.getTime());
  const server = createServer(log.around(http1(handler), trustedProxies));
  servers.push(server.listen('path' in place ? place : { port: 0, ...place }));
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    lines: (count) => waitFor(() => said.split('\n').length > count && said.trimEnd().split('\n')),
  };
}

async function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<void> {
  const asked = request({ port, path, headers }).end();
  const [response] = await once(asked, 'response');
  await text(response);
}

it("is nginx's combined format, with the bytes of the body", async () => {
  const { port, lines } = await logged((_req, res) => void res.end('0123456789'));
  await ask(port, '/a.txt?x=1', {
    referer: 'http://r/',
    'user-agent': 'test',
    authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}`,
  });
  expect(await lines(1)).toEqual([
    `127.0.0.1 - alice [${clfDate(date)}] "GET /a.txt?x=1 HTTP/1.1" 200 10 "http://r/" "test"`,
  ]);
  expect(clfDate(date)).toMatch(/^\d\d\/Nov\/2026:\d\d:\d4:31 [+-]\d{4}$/);
});

it('counts nothing but the body: not the heads of HEAD, 304 and errors', async () => {
  const { port, lines } = await logged((req, res) => {
    if (req.method === 'HEAD') res.setHeader('Content-Length', 100).end();
    else if (req.url === '/304') res.writeHead(304).end();
    else if (req.url === '/chunked') {
      res.write('abc');
      res.end('defg');
    } else res.writeHead(404, { 'Content-Length': 3 }).end('no\n');
  });
  const head = request({ port, path: '/head', method: 'HEAD' }).end();
  await once(head, 'response');
  for (const path of ['/304', '/none']) await ask(port, path);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [, body = ''] = (await text(socket)).split('\r\n\r\n', 2);
  const found = await lines(4);
  const bytes = Object.fromEntries(
    found.map((line) => (/\/(\w+) HTTP\/1\.1" \d+ (\d+) /.exec(line) ?? []).slice(1)),
  );
  // with the frame of its chunks, as with nginx: 3 CRLF abc CRLF 4 CRLF defg CRLF 0 CRLF CRLF; Node 26 makes one of both
  expect(bytes).toEqual({ head: '0', 304: '0', none: '3', chunked: String(`${body}\r\n\r\n`.length) });
  expect(body).toMatch(/^(?:3\r\nabc\r\n4\r\ndefg|7\r\nabcdefg)\r\n0$/);
});

it('does not count 100 Continue', async () => {
  const { port, lines } = await logged((_req, res) => {
    res.writeContinue();
    res.end('abc');
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await text(socket)).toContain('100 Continue');
  expect((await lines(1))[0]).toContain('"GET /a HTTP/1.1" 200 3 ');
});

it('counts from where the request before on its connection has ended', async () => {
  const answers = ['0123456789', 'ab', ''];
  const { port, lines } = await logged((_req, res) => void res.end(answers.shift()));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const path of ['/a', '/b', '/c']) {
    const [response] = await once(request({ port, path, agent }).end(), 'response');
    await text(response);
  }
  agent.destroy();
  const bytes = (await lines(3)).map((line) => /HTTP\/1\.1" 200 (\d+) /.exec(line)?.[1]);
  expect(bytes).toEqual(['10', '2', '0']);
});

it('keeps no response of connections that stay open', async () => {
  const responses: WeakRef<object>[] = [];
  const { port, lines } = await logged((_req, res) => {
    responses.push(new WeakRef(res));
    res.end('abc');
  });
  const agent = new Agent({ keepAlive: true });
  const visit = async (): Promise<void> => {
    const [response] = await once(request({ port, agent }).end(), 'response');
    await text(response);
  };
  await Promise.all(Array.from({ length: 20 }, visit));
  await lines(20);
  const collect = garbageCollector();
  const held = async (): Promise<number> => {
    await turn();
    collect();
    return responses.filter((each) => each.deref() !== undefined).length;
  };
  // the last one may still be somewhere on the stack
  await expect.poll(held).toBeLessThan(3);
  agent.destroy();
});

it('counts its own bytes of each of several requests that are sent in one go', async () => {
  const answers: Record<string, string> = { '/first': '0123456789', '/second': 'abc', '/third': 'defgh' };
  const waiting: (() => void)[] = [];
  const { port, lines } = await logged((req, res) => {
    waiting.push(() => void res.end(answers[req.url ?? '']));
    // the last ones are ready before the first
    if (waiting.length === 3) for (const answer of waiting.reverse()) answer();
  });
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(
    Object.keys(answers)
      .map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`)
      .join(''),
  );
  const found = (await lines(3)).map((line) => /"GET (\S+) HTTP\/1\.1" 200 (\d+) /.exec(line)?.slice(1));
  expect(found).toEqual([
    ['/first', '10'],
    ['/second', '3'],
    ['/third', '5'],
  ]);
  socket.destroy();
});

it('names the client that PHP sees', async () => {
  const answer: RequestListener = (_req, res) => void res.end();
  const headers = { 'X-Forwarded-For': '192.0.2.7' };
  const trusting = await logged(answer, { trustedProxies: ['127.0.0.0/8'] });
  await ask(trusting.port, '/', headers);
  expect((await trusting.lines(1))[0]).toMatch(/^192\.0\.2\.7 - - /);
  const other = await logged(answer, { trustedProxies: ['10.0.0.1'] });
  await ask(other.port, '/', headers);
  expect((await other.lines(1))[0]).toMatch(/^127\.0\.0\.1 - - /);
  const both = await logged(answer, {}, { host: '::' });
  await ask(both.port, '/');
  expect((await both.lines(1))[0]).toMatch(/^(?:127\.0\.0\.1|::1) - - /);
  const path = join(temp.path, 'log.sock');
  const unix = await logged(answer, {}, { path });
  const socket = connect({ path });
  socket.end('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect((await unix.lines(1))[0]).toMatch(/^unix: - - /);
  socket.destroy();
});

it('cannot be forged: quotes and control bytes are escaped', async () => {
  const { port, lines } = await logged((_req, res) => void res.writeHead(404, { 'Content-Length': 0 }).end());
  await ask(port, '/a%22"b', { 'user-agent': 'x" \\ \t \u00e9' });
  expect((await lines(1))[0]).toContain('"GET /a%22\\x22b HTTP/1.1" 404 0 "-" "x\\x22 \\x5C \\x09 \\xE9"');
});

it('a client that leaves before there is a head is 499', async () => {
  const { port, lines } = await logged((req) => void req.socket.destroy());
  await ask(port, '/hang').catch(() => {});
  expect((await lines(1))[0]).toContain('"GET /hang HTTP/1.1" 499 0 ');
});

it('so is one of a HEAD by HTTP/2, of whose response node says nothing then', async () => {
  const out = new PassThrough();
  const line = once(out, 'data');
  const server = createHttp2Server(new AccessLog(out, { logFormat: 'combined' }).around(() => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const asked = once(server, 'request');
  const stream = session.request({ ':path': '/hang', ':method': 'HEAD' });
  await asked;
  stream.close(constants.NGHTTP2_CANCEL);
  expect(String(await line)).toContain('"HEAD /hang HTTP/2.0" 499 0 ');
  session.destroy();
  server.close();
});

it('as JSON has one object a line, with the seconds', async () => {
  const { port, lines } = await logged((_req, res) => void res.end('abc'), { logFormat: 'json' });
  await ask(port, '/a"b', { 'user-agent': 'x\u00e9' });
  expect(JSON.parse((await lines(1))[0] ?? '')).toEqual({
    time: date.toISOString(),
    remote_addr: '127.0.0.1',
    method: 'GET',
    uri: '/a"b',
    protocol: 'HTTP/1.1',
    host: `localhost:${port}`,
    status: 200,
    body_bytes_sent: 3,
    request_time: expect.any(Number),
    user_agent: 'x\u00e9',
  });
});

it('a reader that stalls loses lines, not the service', async () => {
  let said = '';
  let isRead = false;
  let goOn = (): void => {};
  const stalled = new Writable({
    write(chunk: Buffer, _encoding, done): void {
      goOn = () => {
        said += chunk.toString();
        done();
      };
      if (isRead) goOn();
    },
  });
  const log = new AccessLog(stalled, { logFormat: 'combined' });
  const server = createServer(log.around(http1((_req, res) => void res.end())));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const path = `/${'x'.repeat(8000)}`;
  for (let count = 0; count < 200; count += 1) await ask(port, path);
  log.flush();
  // 200 lines of 8 kB: 1.6 MB
  expect(stalled.writableLength).toBeLessThan(1_200_000);
  isRead = true;
  goOn();
  await ask(port, path);
  await waitFor(() => /^- \d+ lines lost/m.test(said), { what: 'a word about the lines lost' });
  const lost = Number(/^- (\d+) lines lost/m.exec(said)?.[1]);
  const kept = said.split('\n').filter((line) => line.startsWith('127.')).length;
  expect(lost + kept).toBe(201);
});

it.each([
  ['combined', 'x', 'long line '],
  ['json', '\u20ac', 'long \u00e9'],
] as const)(
  'loses no line of %s and mixes none up, however many there are and however long',
  async (logFormat, char, long) => {
    let said = '';
    const out = new Writable({
      write(chunk: Buffer, _encoding, done): void {
        // as a disk does: later, and from the memory that it was given
        setImmediate(() => {
          said += chunk.toString();
          done();
        });
      },
    });
    const log = new AccessLog(out, { logFormat });
    const given: string[] = [];
    for (let count = 0; count < 3000; count += 1) given.push(`${count} ${char.repeat((7 * count) % 120)}\n`);
    given.push(`${long.repeat(30_000)}\n`, 'last\n');
    for (const line of given) log.lines(line);
    log.flush();
    out.end();
    await once(out, 'finish');
    expect(said).toBe(given.join(''));
  },
);

it('lines that are long by any of their parts do not wait for each other', () => {
  const out = new PassThrough();
  const lines = new LineBuffer(out);
  const plain = { client: '', user: '', time: '', method: '', url: '', httpVersion: '', agent: '' };
  for (let count = 0; count < 20; count += 1)
    lines.add({ ...plain, status: 200, bytes: 0, referer: 'x'.repeat(8000) });
  expect(out.readableLength).toBeGreaterThan(8000);
  lines.flush();
});

it('asks how PHP has ended only where its format says so: to tell it costs a tenth of a page', () => {
  const out = new PassThrough();
  expect(new AccessLog(out, { logFormat: 'combined' }).ended).toBeNull();
  expect(new AccessLog(out, { logFormat: 'json' }).ended).toBeTypeOf('function');
});
