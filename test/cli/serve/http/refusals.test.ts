/** Bytes on a bare socket that Node makes no request of, or the wrong one. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, createServer, Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import { type Refusal, Refusals } from '../../../../src/cli/serve/http/refusals.ts';
import { http1 } from '../../support/handler.ts';

let listener: Listener | undefined;
afterEach(() => listener?.destroy());

/** Resolves with the port. */
async function listen(handler: RequestListener, tell?: (refusal: Refusal) => void): Promise<number> {
  listener = new Listener(http1(handler), null, tell);
  const [place = ''] = await listener.listen([{ host: '127.0.0.1', port: 0 }]);
  return Number(new URL(place).port);
}

/** Sends, and reads until the server closes: the status of each response. */
async function statuses(
  handler: RequestListener,
  bytes: string,
  fin = false,
  tell?: (refusal: Refusal) => void,
): Promise<string[]> {
  const port = await listen(handler, tell);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  if (fin) socket.end();
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  socket.on('end', () => socket.end());
  await once(socket, 'close');
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status = '']) => status);
}

const good = 'GET /good HTTP/1.1\r\nHost: a\r\n\r\n';
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const soon: RequestListener = (_, res) => void setImmediate(() => res.end('page'));

it('a good request is answered, though rubbish comes behind it', async () => {
  expect(await statuses(soon, `${good}RUBBISH\r\n\r\n`)).toEqual(['200', '400']);
  expect(await statuses(soon, `${good}${good}RUBBISH\r\n\r\nMORE\r\n\r\n`)).toEqual(['200', '200', '400']);
});

it('an Expect that names nothing expects nothing, as with nginx and Apache', async () => {
  const form = (value: string) =>
    `POST /form HTTP/1.1\r\nHost: a\r\nExpect:${value}\r\nContent-Length: 4\r\n\r\nform`;
  expect(await statuses(soon, form('') + form(' , ') + last)).toEqual(['200', '200', '200']);
  expect(await statuses(soon, form(', x') + last)).toEqual(['417', '200']);
});

it('the answers before rubbish may be finished in the same moment', async () => {
  const held: (() => void)[] = [];
  const together: RequestListener = (_, res) => {
    held.push(() => res.end('page'));
    if (held.length === 3) for (const end of held) end();
  };
  expect(await statuses(together, `${good}${good}${good}RUBBISH\r\n\r\n`)).toEqual([
    ...['200', '200', '200'],
    '400',
  ]);
});

it('what comes behind the last request of a connection does not harm its answer', async () => {
  expect(await statuses(soon, `${last}${good}`)).toEqual(['200']);
});

it.each([
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
  ['rubbish', 'RUBBISH\r\n\r\n'],
  ['rubbish behind a good request', `${good}RUBBISH\r\n\r\n`],
])('a client that resets its connection once it is refused ends no server: %s', async (_, bytes) => {
  const port = await listen(soon);
  const accepted = once(listener?.server ?? new Server(), 'connection');
  const client = connect({ port, host: '127.0.0.1' });
  client.write(bytes);
  const [socket]: Socket[] = await accepted;
  await once(client, 'readable');
  const closed = new Promise((resolve) => socket?.once('close', resolve));
  client.resetAndDestroy();
  await closed;
  const again = connect({ port, host: '127.0.0.1' }, () => again.write(last));
  const [answer] = await once(again, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
});

it('a request whose body is broken is refused, those before it are not', async () => {
  const broken = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
  const patient: RequestListener = (req, res) => void req.on('end', () => res.end()).resume();
  expect(await statuses(patient, broken)).toEqual(['400']);
  expect(await statuses(patient, good + broken)).toEqual(['200', '400']);
});

it('a request whose body is broken while its answer is going out is broken off', async () => {
  const broken = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n';
  expect(await statuses((_, res) => void res.write('begun'), broken)).toEqual(['200']);
});

it.each([
  ['rubbish', 'RUBBISH\r\n\r\n', '400'],
  ['a head that ends in the middle', 'GET / HTTP/1.1\r\nHos', '400'],
  ['a head of 100,000 bytes', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, '431'],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', '405'],
])('%s is refused', async (_, bytes, status) => {
  expect(await statuses(soon, bytes, true)).toEqual([status]);
});

describe('what is told of a refusal', () => {
  const long = `GET /long?${'x'.repeat(3000)} HTTP/1.1\r\nHost a\r\n\r\n`;
  const proxied = 'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443';

  it.each([
    ['rubbish', 'RUBBISH\r\n\r\n', { line: 'RUBBISH', status: 400 }],
    ['a method in small letters', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', { line: 'get / HTTP/1.1' }],
    ['TLS at a port without', '\x16\x03\x01\x02\x00\x01"', { line: '\x16\x03\x01\x02\x00\x01"' }],
    ['a line without an end', 'RUBBISH', { line: 'RUBBISH' }],
    [
      'CONNECT',
      'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
      { line: 'CONNECT a:443 HTTP/1.1', status: 405 },
    ],
    [
      'Expect that nobody knows',
      'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: x\r\n\r\n',
      { line: 'GET /a HTTP/1.1', status: 417 },
    ],
    ['a line of 3,000 bytes', long, { line: long.slice(0, 2048) }],
    ['rubbish behind a good request', `${good}RUBBISH\r\n\r\n`, { line: '', status: 400 }],
    ['version 1 of the PROXY protocol', `${proxied}\r\n${good}`, { line: proxied, isProxyProtocol: true }],
    [
      'version 2',
      `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x01\0\x02${good}`,
      { line: '', isProxyProtocol: true },
    ],
  ])('%s', async (_, bytes, expected) => {
    const told: Refusal[] = [];
    await statuses(soon, bytes, true, (refusal) => told.push(refusal));
    expect(told).toEqual([
      {
        address: '127.0.0.1',
        status: 400,
        isProxyProtocol: false,
        response: null,
        bytes: expect.any(Number),
        reason: expect.stringMatching(/\w{4}/),
        ...expected,
      },
    ]);
  });

  it('holds nothing of a head that came in pieces, as the last of them may be a cookie', async () => {
    const told: Refusal[] = [];
    const port = await listen(soon, (refusal) => told.push(refusal));
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}`);
    socket.write(`\r\nCookie: secret=${'y'.repeat(200_000)}\r\n\r\n`);
    socket.resume();
    await once(socket, 'close');
    expect(told.map(({ status, line }) => [status, line.includes('secret')])).toEqual([[431, false]]);
  });

  it('names the response where the body of a request is at fault, as that one is in the log by itself', async () => {
    const told: Refusal[] = [];
    const broken = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
    const patient: RequestListener = (req, res) => void req.on('end', () => res.end()).resume();
    await statuses(patient, broken, false, (refusal) => told.push(refusal));
    expect(told.map(({ status, response }) => [status, response?.req.method])).toEqual([[400, 'POST']]);
  });

  it('is nothing where nobody has asked for anything, as browsers open connections in advance', async () => {
    const told: Refusal[] = [];
    const server = createServer().listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const client = connect(port, '127.0.0.1').resume();
      const [socket]: Socket[] = await once(server, 'connection');
      if (!socket) throw new Error('there is no connection');
      const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      await new Refusals((refusal) => told.push(refusal)).refuse(socket, late, []);
      await once(client, 'end');
      expect(told).toEqual([]);
    } finally {
      server.close();
    }
  });
});
