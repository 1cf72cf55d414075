/** The body of a request is an HTTP request: that is its server's, and is left whole for the answer to its client. */
import { createServer, type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Pool } from '../../../src/index.ts';
import { POST, PUT, rawServer } from '../support.ts';

it.each([
  ['a POST that is read whole before it is sent', POST, 100_000],
  ['a longer POST', POST, 2_000_000],
  ['a PUT', PUT, 100_000],
] as const)('%s is given up half-way: its client is answered', async (_, params, length) => {
  await using silent = await rawServer((socket) => socket.resume());
  await using pool = new Pool(silent.address, { connections: 1 });
  // Has the only connection.
  const first = pool.request({ params: POST });
  first.catch(() => {});
  const server = createServer(async (incoming, response) => {
    const outgoing = pool.request({
      params: { ...params, CONTENT_LENGTH: String(length) },
      body: incoming,
      signal: AbortSignal.timeout(100),
    });
    await outgoing.catch(() => {});
    response.writeHead(503, { Connection: 'close' }).end('later');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const client = request({ port, method: 'POST', headers: { 'Content-Length': length } }, resolve);
    client.on('error', reject).write(Buffer.alloc(1_000));
  });
  expect([answer.statusCode, await textOf(answer)]).toEqual([503, 'later']);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await pool.destroy();
});
