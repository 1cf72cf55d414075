import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { afterEach, expect, it } from 'vitest';
import type { Handler } from '../../../../src/cli/serve/handler.ts';
import { SecureServer } from '../../../../src/cli/serve/http/secure-server.ts';
import { within } from '../../../fpm/support/wait.ts';

const nobody = { opened: () => {}, isHttp1: () => {} };

let server: SecureServer | undefined;
afterEach(() => server?.server.close());

/** `idleLimit`: milliseconds. */
async function listen(handler: Handler, idleLimit?: number): Promise<string> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
  });
  server = new SecureServer({ cert, key }, handler, nobody, idleLimit);
  await once(server.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  return `https://127.0.0.1:${port}`;
}

function open(url: string): ClientHttp2Session {
  return connect(url, { rejectUnauthorized: false });
}

it('a session of HTTP/2 on which nobody asks for anything is closed: its client may have gone without a word', async () => {
  const url = await listen((_, res) => void res.end('here'), 50);
  const session = open(url);
  expect(await text(session.request({ ':path': '/' }))).toBe('here');
  await within(once(session, 'close'), 5000, 'the end of the session');
});

it('one whose answer is long in coming is not', async () => {
  const url = await listen((_, res) => {
    setTimeout(() => res.end('late'), 300);
  }, 50);
  const session = open(url);
  const ended = once(session, 'goaway');
  expect(await text(session.request({ ':path': '/' }))).toBe('late');
  await within(ended, 5000, 'the end of the session');
});

it('a connection of HTTP/1.1 is kept for as long as nginx keeps it', async () => {
  const url = await listen((_, res) => void res.end('here'));
  const asked = request(url, { rejectUnauthorized: false, headers: { Connection: 'keep-alive' } }).end();
  const [response] = await once(asked, 'response');
  expect(response.headers['keep-alive']).toBe('timeout=75');
  response.destroy();
});
