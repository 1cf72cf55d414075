import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { declineOffers } from '../../../../src/cli/serve/http/upgrades.ts';
import { within } from '../../../fpm/support/wait.ts';

const server = createServer((req, res) => {
  const told = [req.method, req.url, req.headers.host, req.headers['x-a']];
  void text(req).then((body) => res.end(JSON.stringify([...told, body])));
});
server.on('upgrade', (req, socket) => {
  if (req.headers.upgrade === 'websocket' && req.url === '/')
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
});
declineOffers(server, ({ url }) => url === '/');
afterEach(() => server.close());

/** All that comes back for `pieces`, each sent when something has come back for the one before. */
async function exchange(...pieces: string[]): Promise<string> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const heard = text(socket.setEncoding('latin1'));
  for (const [nth, piece] of pieces.entries()) {
    if (nth > 0) await once(socket, 'data');
    socket.write(piece, 'latin1');
  }
  return within(heard, 5000, 'the end of the connection');
}

describe('a request that offers HTTP/2', () => {
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n';

  it('is answered without it, and the connection goes on', async () => {
    const first = `GET /a?b HTTP/1.1\r\nHost: x\r\nX-A: caf\xe9\r\n${offer}\r\n`;
    const heard = await exchange(first, 'GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(heard).toContain('["GET","/a?b","x","caf\xc3\xa9",""]');
    expect(heard).toContain('["GET","/c","x",null,""]');
  });

  it('keeps its body, also what comes with its head', async () => {
    const last = offer.replace('Upgrade,', 'close, Upgrade,');
    const post = `POST / HTTP/1.1\r\nHost: x\r\n${last}Content-Length: 4\r\n\r\nbody`;
    expect(await exchange(post)).toContain('["POST","/","x",null,"body"]');
  });
});

it('a WebSocket is left to who listens for it', async () => {
  const asked = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  expect(await exchange(asked)).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\n');
});

it('a WebSocket that nobody takes is a request as any other, as where nobody listens for any', async () => {
  const offer = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const heard = await exchange(
    `GET /chat HTTP/1.1\r\nHost: x\r\nX-A: b\r\n${offer}\r\n`,
    'GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  expect(heard).toContain('["GET","/chat","x","b",""]');
  expect(heard).toContain('["GET","/c","x",null,""]');
});
