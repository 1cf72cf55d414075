/** A server that ends: what is on its way to it by then, as from a proxy in front, is answered. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import { within } from '../../../fpm/support/wait.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { http1 } from '../../support/handler.ts';

const form = 'POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nform';

let listener: Listener | undefined;
afterEach(() => listener?.destroy());

async function listen(handler: RequestListener): Promise<{ server: Listener; open: () => Socket }> {
  const server = new Listener(http1(handler));
  listener = server;
  const [url = ''] = await server.listen([{ host: '127.0.0.1', port: 0 }]);
  const { port, hostname } = new URL(url);
  return { server, open: () => connect(Number(port), hostname) };
}

const echo: RequestListener = (req, res) => {
  res.sendDate = false;
  req.on('data', (body) => res.end(body));
  req.resume();
  if (req.method === 'GET') res.end('page');
};

const answered = /^HTTP\/1\.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nform$/;

/** It comes on a kept connection, as the server ends. */
async function lateForm(): Promise<{ server: Listener; kept: Socket; drained: Promise<boolean> }> {
  const { server, open } = await listen(echo);
  const kept = open();
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(kept, 'data');
  const drained = server.drain(0);
  kept.write(form);
  return { server, kept, drained };
}

it('a form that comes on a kept connection as the server ends is answered, and told that it was the last', async () => {
  const { kept, drained } = await lateForm();
  expect(await text(kept)).toMatch(answered);
  expect(await within(drained, 2000, 'the drain')).toBe(true);
});

it('a form on a connection that waits to be accepted as the server ends is answered', async () => {
  const { server, open } = await listen(echo);
  const fresh = open();
  fresh.write(form);
  const drained = server.drain(0);
  expect(await text(fresh)).toMatch(answered);
  expect(await within(drained, 2000, 'the drain')).toBe(true);
});

it('nobody is told to come on another connection while such a one would still be taken, and then be reset', async () => {
  const { server, kept, drained } = await lateForm();
  const told = String(await once(kept, 'data'));
  expect(told).toMatch(answered);
  expect(server.server?.listening).toBe(false);
  expect(await within(drained, 2000, 'the drain')).toBe(true);
});

it('a form behind an answer whose head was out before the server ended is answered: that head had promised it', async () => {
  let finish: () => void = () => {};
  const { server, open } = await listen((req, res) => {
    if (req.method !== 'GET') return echo(req, res);
    res.write('begun ');
    finish = () => res.end('and ended');
  });
  const kept = open();
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let heard = String(await once(kept, 'data'));
  kept.on('data', (piece) => {
    heard += String(piece);
    if (heard.endsWith('0\r\n\r\n')) kept.write(form);
  });
  const drained = server.drain(0);
  finish();
  await once(kept, 'close');
  expect(heard.slice(heard.indexOf('0\r\n\r\n') + 5)).toMatch(answered);
  expect(await within(drained, 2000, 'the drain')).toBe(true);
});

describe('who has connected for HTTPS as the server ends, and not said hello yet', () => {
  const connected = async (): Promise<{ server: Listener; client: Socket }> => {
    const server = new Listener(http1(echo), await localhostCertificate());
    listener = server;
    const [url = ''] = await server.listen([{ host: '127.0.0.1', port: 0, tls: true }]);
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    await once(client, 'connect');
    return { server, client };
  };

  it('has a form answered, and hears that it was the last', async () => {
    const { server, client } = await connected();
    const drained = server.drain(0);
    const secure = connectTls({ socket: client, rejectUnauthorized: false });
    secure.write(form);
    expect(await text(secure)).toMatch(answered);
    expect(await within(drained, 2000, 'the drain')).toBe(true);
  });

  it('has all pages answered that he asks for at once by HTTP/2', async () => {
    const { server, client } = await connected();
    const drained = server.drain(0);
    const session = connectHttp2('https://localhost', {
      createConnection: () =>
        connectTls({ socket: client, rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
    });
    const pages = ['/a', '/b', '/c'].map((path) => text(session.request({ ':path': path })));
    expect(await Promise.all(pages)).toEqual(['page', 'page', 'page']);
    expect(await within(drained, 2000, 'the drain')).toBe(true);
  });

  it('does not hold it up where he says nothing', async () => {
    const { server, client } = await connected();
    const ended = once(client, 'close');
    expect(await within(server.drain(0), 2000, 'the drain')).toBe(true);
    await within(ended, 2000, 'the end of the connection');
  });
});
