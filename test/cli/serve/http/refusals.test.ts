/** Bytes on a bare socket that Node makes no request of, or the wrong one. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import { http1 } from '../../support/handler.ts';

let listener: Listener | undefined;
afterEach(() => listener?.destroy());

/** Sends, and reads until the server closes: the status of each response. */
async function statuses(handler: RequestListener, bytes: string, fin = false): Promise<string[]> {
  listener = new Listener(http1(handler));
  const [place = ''] = await listener.listen([{ host: '127.0.0.1', port: 0 }]);
  const url = new URL(place);
  const socket = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
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
