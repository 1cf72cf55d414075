import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import { freePort, tempDir } from '../../../fpm/support/temp.ts';
import { within } from '../../../fpm/support/wait.ts';
import { http1 } from '../../support/handler.ts';

let listener: Listener | undefined;
afterEach(() => listener?.destroy());

async function listen(handler: RequestListener): Promise<URL> {
  listener = new Listener(http1(handler));
  const [url = ''] = await listener.listen([{ host: '127.0.0.1', port: 0 }]);
  return new URL(url);
}

function drain(limit: number): Promise<boolean> {
  if (!listener) throw new Error('nobody listens');
  return listener.drain(limit);
}

async function open(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

it('says the port that it got', async () => {
  const url = await listen((_, res) => res.end('here'));
  expect(url.hostname).toBe('127.0.0.1');
  expect(await (await fetch(url)).text()).toBe('here');
});

it('keeps a connection for as long as nginx does, which is longer than a proxy in front keeps it', async () => {
  const url = await listen((_, res) => res.end('here'));
  const { headers } = await fetch(url);
  expect(headers.get('keep-alive')).toBe('timeout=75');
});

it('of many headers none is lost', async () => {
  const url = await listen((req, res) => res.end(req.headers.cookie));
  const socket = await open(url);
  socket.write(
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${'a:\r\n'.repeat(2500)}Cookie: b=c\r\n\r\n`,
  );
  expect(await text(socket)).toMatch(/\r\n\r\nb=c$/);
});

it('takes a head as long as one of HTTP/2, which is more than nginx does', async () => {
  const url = await listen((req, res) => res.end(String(req.headers.cookie?.length)));
  const cookie = 'c'.repeat(60_000);
  const { status, headers } = await fetch(url, { headers: { cookie } });
  expect([status, headers.get('content-length')]).toEqual([200, '5']);
});

it('who waits for 100 Continue is told when it is its turn, never within the answer to come', async () => {
  const first: ServerResponse[] = [];
  const url = await listen((req, res) => {
    if (req.url === '/first') first.push(res);
    else req.on('data', (body) => res.end(Buffer.concat([Buffer.from('two '), body])));
  });
  const socket = await open(url);
  let heard = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    heard += piece;
  });
  const upload = 'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n';
  socket.write(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${upload}Connection: close\r\n\r\n`);
  await expect.poll(() => first.length).toBe(1);
  first[0]?.end(Buffer.from('one'));
  await expect.poll(() => heard).toMatch(/\r\n\r\noneHTTP\/1\.1 100 Continue\r\n\r\n$/);
  socket.write('body');
  await once(socket, 'close');
  expect(heard).toMatch(
    /\r\n\r\noneHTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n(?:.+\r\n)*\r\ntwo body$/,
  );
});

it('who has the answer already is not told to continue', async () => {
  let answerFirst = (): void => {};
  const second = new Promise<void>((resolve) => {
    listener = new Listener(
      http1((req, res) => {
        if (req.url === '/first') answerFirst = () => res.end(Buffer.from('one'));
        else {
          res.statusCode = 413;
          res.end(Buffer.from('two'));
          resolve();
        }
      }),
    );
  });
  const url = new URL((await listener?.listen([{ host: '127.0.0.1', port: 0 }]))?.[0] ?? '');
  const socket = await open(url);
  const upload = 'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n';
  const heard = text(socket);
  socket.write(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${upload}Connection: close\r\n\r\nbody`);
  await second;
  answerFirst();
  const answers = (await heard).split(/(?=HTTP\/1\.1 )/);
  expect(answers.map((one) => one.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))).toEqual(['200', '413']);
  expect(answers[1]).toMatch(/\r\nContent-Length: 3\r\n(?:.*\r\n)*\r\ntwo$/);
});

/** Answers each with its method, POST by 413, and counts. */
function refusing(): { asked: string[]; url: Promise<URL> } {
  const asked: string[] = [];
  const url = listen((req, res) => {
    asked.push(req.method ?? '');
    res.statusCode = req.method === 'POST' ? 413 : 200;
    res.end(req.method);
  });
  return { asked, url };
}

const upload = (length: number): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;

it('who is refused by his head is not told to send the body, as with nginx', async () => {
  const { url } = refusing();
  const socket = await open(await url);
  const heard = text(socket);
  socket.write(upload(4));
  expect(await heard).toMatch(/^HTTP\/1\.1 413 (?:.+\r\n)+\r\nPOST$/);
});

it('who sends the body all the same is not reset before the answer is read, and what comes behind it is nobody’s', async () => {
  const { asked, url } = refusing();
  const { port, hostname } = await url;
  const ended = new Promise<void>((resolve) => {
    listener?.server?.once('connection', (accepted: Socket) => accepted.once('close', () => resolve()));
  });
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  const failures: unknown[] = [];
  socket.on('error', (error) => failures.push(error));
  let heard = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    heard += piece;
  });
  socket.write(upload(200_000));
  await once(socket, 'end');
  expect(heard).toMatch(/^HTTP\/1\.1 413 (?:.+\r\n)+\r\nPOST$/);
  // the other end has said that it is over; one that had closed would answer the first of these by a reset
  for (let nth = 0; nth < 2; nth++) {
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(100_000), () => resolve()));
  }
  expect(failures).toEqual([]);
  socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await ended;
  expect(asked).toEqual(['POST']);
});

it.each([
  ['says Connection: close', 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'],
  // nginx's proxy_pass, where nothing else is said: it took the reset for a bad gateway
  ['speaks HTTP/1.0', 'POST / HTTP/1.0\r\n'],
])('who %s, and sends all of a body before it reads why that is refused, is not reset', async (_, lines) => {
  const { url } = refusing();
  const { port, hostname } = await url;
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  const failures: unknown[] = [];
  socket.on('error', (error) => failures.push(error));
  const piece = Buffer.alloc(1024 * 1024);
  socket.write(`${lines}Content-Length: ${20 * piece.length}\r\n\r\n`);
  for (let nth = 0; nth < 20; nth++) {
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  }
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 (?:.+\r\n)+\r\nPOST$/);
  expect(failures).toEqual([]);
  socket.destroy();
});

it('an IPv6 address stands in brackets', async () => {
  listener = new Listener(http1((_, res) => res.end()));
  expect(await listener.listen([{ host: '::1', port: 0 }])).toEqual([
    expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
  ]);
});

it('says why it cannot listen', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await expect(new Listener(() => {}).listen([{ host: '127.0.0.1', port }])).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: the port is in use`,
  );
  other.close();
  await expect(
    new Listener(() => {}).listen([{ host: '192.0.2.1', port: await freePort() }]),
  ).rejects.toThrow(/the host is no address of this machine/);
});

it('listens at several places, a unix socket among them, though a server that was killed has left it', async () => {
  const temp = tempDir();
  const path = join(temp.path, 'site.sock');
  const killed = spawnSync(process.execPath, [
    '-e',
    'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path,
  ]);
  expect([killed.signal, existsSync(path)]).toEqual(['SIGKILL', true]);
  listener = new Listener(http1((_, res) => res.end('here')));
  const places = [{ path }, { host: '127.0.0.1', port: 0 }];
  const [unix, http = ''] = await listener.listen(places);
  expect(unix).toBe(`unix:${path}`);
  expect(await (await fetch(http)).text()).toBe('here');
  const asked = request({ socketPath: path }).end();
  const [response] = await once(asked, 'response');
  expect(await text(response)).toBe('here');
  // one that is in use is not taken away
  const second = new Listener(() => {});
  await expect(second.listen([{ host: '127.0.0.1', port: 0 }, { path }])).rejects.toThrow(
    'another server listens there',
  );
  expect(await drain(1000)).toBe(true);
  expect(existsSync(path)).toBe(false);
  temp.remove();
});

it('who stops it waits for an answer, and not for what is left of the body that it refuses', async () => {
  let refuse: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    void listen((req, res) => {
      req.resume();
      refuse = () => res.writeHead(413).end('too large');
      resolve();
    }).then(async (url) => {
      const socket = await open(url);
      socket.write('POST / HTTP/1.0\r\nContent-Length: 1000\r\n\r\na piece');
    });
  });
  await asked;
  const drained = drain(0);
  refuse();
  expect(await within(drained, 3000, 'the end')).toBe(true);
});

it('a request in progress is answered, then its kept connection is closed', async () => {
  let finish: () => void = () => {};
  const url = await listen((_, res) => {
    res.write('begun ');
    finish = () => res.end('and ended');
  });
  const agent = new Agent({ keepAlive: true });
  const sent = request(url, { agent });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const drained = drain(0);
  finish();
  let text = '';
  for await (const chunk of response) text += chunk;
  expect(text).toBe('begun and ended');
  expect(await within(drained, 2000, 'the drain')).toBe(true);
  agent.destroy();
});

it('a response whose head comes after the signal says that the connection closes', async () => {
  let finish: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    listener = new Listener(
      http1((_, res) => {
        finish = () => res.end('late');
        resolve();
      }),
    );
  });
  const url = new URL((await listener?.listen([{ host: '127.0.0.1', port: 0 }]))?.[0] ?? '');
  const answered = fetch(url);
  await arrived;
  const drained = drain(0);
  finish();
  const response = await answered;
  expect(response.headers.get('connection')).toBe('close');
  expect(await response.text()).toBe('late');
  expect(await within(drained, 2000, 'the drain')).toBe(true);
});

it('connections without a request do not hold it up: silent, kept, or half a head', async () => {
  const url = await listen((_, res) => res.end('x'));
  const silent = await open(url);
  const half = await open(url);
  half.write('GET / HTTP/1.1\r\nHo');
  const kept = await open(url);
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  expect(await within(drain(0), 2000, 'the drain')).toBe(true);
  for (const socket of [silent, half, kept]) socket.destroy();
});

it('what lasts longer than the limit is cut', async () => {
  const arrived = new Promise<void>((resolve) => {
    listener = new Listener(() => resolve());
  });
  const url = new URL((await listener?.listen([{ host: '127.0.0.1', port: 0 }]))?.[0] ?? '');
  const answered = fetch(url).then(
    () => 'answered',
    () => 'cut',
  );
  await arrived;
  expect(await within(drain(20), 2000, 'the drain')).toBe(false);
  expect(await answered).toBe('cut');
});
