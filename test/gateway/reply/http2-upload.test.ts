/** An answer by HTTP/2 that is out before the request's body is: nginx ends the stream (RFC 9113, 8.1), and so does Node by itself. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { createHandler, type NodeRequest } from '../../../src/gateway/node.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { within } from '../../fpm/support/wait.ts';
import { answer, FakeDispatcher, type Play } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: Partial<GatewayOptions<NodeRequest>>, play?: Play): Promise<ClientHttp2Session> {
  const site = tempSite({ 'a.php': '', 'a.txt': 'text' });
  closing.push(site.remove);
  const handler = createHandler(new FakeDispatcher(play), {
    root: site.root,
    files: true,
    onError: () => {},
    ...options,
  });
  const server: Http2Server = createServer(handler);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closing.push(() => {
    session.destroy();
    server.close();
  });
  return session;
}

const early = answer(200, [], 'page');

it.each<[string, number, string, string, Partial<GatewayOptions<NodeRequest>>, Play?]>([
  ['is too large', 413, 'POST', '/a.php', { maxBodySize: 10 }],
  ['has stalled', 408, 'POST', '/a.php', { bodyReadTimeout: 50 }],
  ['is for nobody', 404, 'POST', '/none', {}],
  ['is for a file', 405, 'POST', '/a.txt', {}],
  ['is for a file that is sent', 200, 'GET', '/a.txt', {}],
  ['is for a script that answers without it', 200, 'POST', '/a.php', { requestBuffering: false }, early],
])('a body that %s is asked for no further: %i', async (_, status, method, path, options, play) => {
  const session = await open(options, play);
  const asked = { ':path': path, ':method': method, 'content-length': '100' };
  const stream = session.request(asked, { endStream: false });
  stream.write('some of it, ');
  const closed = once(stream, 'close');
  const [head] = await once(stream, 'response');
  expect(head[':status']).toBe(status);
  expect(await text(stream)).not.toBe('');
  await within(closed, 5000, 'the end of the stream');
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

it('a body that has no length, and turns out to be too large, is asked for no further', async () => {
  const session = await open({ maxBodySize: 10 });
  const stream = session.request({ ':path': '/a.php', ':method': 'POST' });
  stream.write('more than 10 bytes');
  const closed = once(stream, 'close');
  const [head] = await once(stream, 'response');
  expect(head[':status']).toBe(413);
  expect(await text(stream)).toBe('413 Payload Too Large\n');
  await within(closed, 5000, 'the end of the stream');
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

it('an answer of 3 MiB to such a request is whole', async () => {
  const page = 'x'.repeat(3 * 1024 * 1024);
  const session = await open({ requestBuffering: false }, answer(200, [], page));
  const stream = session.request({ ':path': '/a.php', ':method': 'POST', 'content-length': '100' });
  stream.write('some of it, ');
  expect((await text(stream)).length).toBe(page.length);
});

it('behind it the session goes on', async () => {
  const session = await open({});
  const stream = session.request({ ':path': '/none', ':method': 'POST' });
  await within(once(stream.resume(), 'close'), 5000, 'the end of the stream');
  expect(await text(session.request({ ':path': '/a.txt' }))).toBe('text');
});
