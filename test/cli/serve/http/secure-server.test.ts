import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, type ServerHttp2Session } from 'node:http2';
import { request } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import type { Handler } from '../../../../src/cli/serve/handler.ts';
import { Refusals } from '../../../../src/cli/serve/http/refusals.ts';
import { SecureServer } from '../../../../src/cli/serve/http/secure-server.ts';
import { within } from '../../../fpm/support/wait.ts';
import { localhostCertificate } from '../../support/certificate.ts';

const nobody = {
  opened: () => {},
  isHttp1: () => {},
  refuse: (socket: Socket, why: string) => new Refusals().answer(socket, 400, '', why, why),
};

let server: SecureServer | undefined;
afterEach(() => server?.server.close());

function fail(): never {
  throw new Error('nobody listens');
}

/** `idleLimit`: milliseconds. */
async function listen(handler: Handler, idleLimit = 75_000): Promise<string> {
  server = new SecureServer(await localhostCertificate(), handler, nobody, idleLimit);
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  return `https://127.0.0.1:${port}`;
}

function open(url: string): ClientHttp2Session {
  return connect(url, { rejectUnauthorized: false });
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const END_STREAM = 1;
const END_HEADERS = 4;
/** `:method: GET`, `:scheme: https` and `:path: /` of the static table, and `:authority: a`. */
const getRequest = Buffer.from([0x82, 0x87, 0x84, 0x01, 1, 0x61]);

function frame(type: number, flags: number, stream: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

/** The DATA frames that come, up to the end of a stream. */
async function dataFrames(socket: Socket): Promise<{ length: number; isLast: boolean }[]> {
  const frames: { length: number; isLast: boolean }[] = [];
  let unread = Buffer.alloc(0);
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    unread = Buffer.concat([unread, piece]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = unread.readUIntBE(0, 3);
      const isLast = (unread.readUInt8(4) & END_STREAM) !== 0;
      if (unread.readUInt8(3) === 0) {
        frames.push({ length, isLast });
        if (isLast) return frames;
      }
      unread = unread.subarray(9 + length);
    }
  }
  throw new Error('the connection ended before the stream');
}

it('a session of HTTP/2 on which nobody asks for anything is closed: its client may have gone without a word', async () => {
  const url = await listen((_, res) => void res.end('here'), 50);
  const session = open(url);
  expect(await text(session.request({ ':path': '/' }))).toBe('here');
  await within(once(session, 'close'), 5000, 'the end of the session');
});

it('the last bytes of an answer say that they are the last: HAProxy keeps back those of a Content-Length for 200 ms, where an empty frame says it', async () => {
  const url = await listen((_, res) => {
    res.setHeader('Content-Length', '4');
    res.end('here');
  });
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  });
  socket.write(Buffer.concat([preface, frame(4, 0, 0), frame(1, END_STREAM | END_HEADERS, 1, getRequest)]));
  expect(await within(dataFrames(socket), 5000, 'the end of the stream')).toEqual([
    { length: 4, isLast: true },
  ]);
  socket.destroy();
});

it.each([['http/1.0'], ['http/1.1'], ['foo', 'http/1.0']])(
  'who offers %s and nothing else that is known is served, as by nginx',
  async (...ALPNProtocols) => {
    const url = new URL(await listen((_, res) => void res.end('here')));
    const port = Number(url.port);
    const socket = connectTls({ port, host: url.hostname, ALPNProtocols, rejectUnauthorized: false });
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhere$/);
  },
);

it('one whose answer is long in coming is not', async () => {
  const url = await listen((_, res) => {
    setTimeout(() => res.end('late'), 300);
  }, 50);
  const session = open(url);
  const ended = once(session, 'goaway');
  expect(await text(session.request({ ':path': '/' }))).toBe('late');
  await within(ended, 5000, 'the end of the session');
});

it('one whose client is gone, without having taken what was on its way, ends as well', async () => {
  const url = await listen((_, res) => {
    const pump = (): void => {
      while (!res.destroyed && (res as ServerResponse).write(Buffer.alloc(65_536)));
      res.once('drain', pump);
    };
    pump();
  }, 300);
  const session = once(server?.server ?? fail(), 'session') as Promise<[ServerHttp2Session]>;
  // it takes what comes up to its window, which is larger than what the system holds, and then nothing
  const client = spawn(process.execPath, [
    '-e',
    `const session = require('http2').connect('${url}', { rejectUnauthorized: false, settings: { initialWindowSize: 2 ** 31 - 1 } });
     session.once('remoteSettings', () => session.setLocalWindowSize(2 ** 31 - 1));
     session.request({ ':path': '/' }).once('response', () => {
       console.log('asked');
       setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);
     });`,
  ]);
  await once(client.stdout, 'data');
  const [asked] = await session;
  // with an error or without
  const ended = new Promise((resolve) => asked.once('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, 400));
  client.kill('SIGKILL');
  await within(ended, 5000, 'the end of the session');
});

it('a connection of HTTP/1.1 is kept for as long as nginx keeps it', async () => {
  const url = await listen((_, res) => void res.end('here'));
  const asked = request(url, { rejectUnauthorized: false, headers: { Connection: 'keep-alive' } }).end();
  const [response] = await once(asked, 'response');
  expect(response.headers['keep-alive']).toBe('timeout=75');
  response.destroy();
});

it('all cookies that a browser may have of a host come by HTTP/2, where each is a field of its own', async () => {
  const url = await listen((req, res) => void res.end(req.headers.cookie ?? ''));
  const session = open(url);
  const cookie = Array.from({ length: 1000 }, (_, nth) => `c${nth}=v`);
  expect(await text(session.request({ ':path': '/', cookie }))).toBe(cookie.join('; '));
  session.destroy();
});

it.each([1, 2])('a head of 60,000 bytes comes by HTTP/%i', async (version) => {
  const url = await listen((req, res) => void res.end(req.headers.cookie?.at(-1) ?? ''));
  const cookie = `${'c'.repeat(60_000)}!`;
  if (version === 1) {
    const asked = request(url, { headers: { cookie }, rejectUnauthorized: false }).end();
    const [response] = await once(asked, 'response');
    expect(await text(response)).toBe('!');
    return;
  }
  const session = open(url);
  expect(await text(session.request({ ':path': '/', cookie }))).toBe('!');
  session.destroy();
});

it('whoever comes by HTTP is told so, and his connection is closed', async () => {
  const url = await listen((_, res) => void res.end('here'));
  const socket = connectTcp({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await within(text(socket), 5000, 'an answer');
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(answer).toMatch(/\r\n\r\n400 Bad Request: this port speaks HTTPS\n$/);
  expect(await text(open(url).request({ ':path': '/' }))).toBe('here');
});

it('what is neither has no answer', async () => {
  const url = await listen((_, res) => void res.end('here'));
  const socket = connectTcp({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.write('SSH-2.0-x\r\n');
  const got = await new Promise<string>((resolve) => {
    let bytes = '';
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
    });
    socket.on('error', () => {}).once('close', () => resolve(bytes));
  });
  expect(got).not.toContain('HTTP');
});
