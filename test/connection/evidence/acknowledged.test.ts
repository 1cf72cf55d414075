import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { TcpSockets, unacknowledgedIn } from '../../../src/connection/evidence/acknowledged.ts';
import { waitFor } from '../../fpm/support/wait.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, remote: string, state: string, sent: string): string =>
  `   1: ${local} ${remote} ${state} ${sent}:00000000 00:00000000 00000000     0        0 1234 1 0000 20\n`;
const ours = '0100007F:A1B2';
const theirs = '0100007F:2328';

it.each([
  [0, line(ours, theirs, '08', '00000000')],
  [0x140, line(ours, theirs, '08', '00000140')],
  ['gone', line(ours, theirs, '01', '00000000')],
  ['gone', line(theirs, ours, '05', '00000000')],
  ['gone', ''],
  // The kernel may list a socket twice, and say something newer the second time, where others come and go meanwhile.
  [0, line(ours, theirs, '08', '00000000') + line(ours, theirs, '08', '00000000')],
  [0, line(ours, theirs, '08', '00000140') + line(ours, theirs, '08', '00000000')],
  [0, line(ours, theirs, '08', '00000000') + line(ours, theirs, '07', '00000000')],
  [0x140, line(ours, theirs, '08', '00000140') + line(ours, theirs, '08', '00000140')],
  [0x20, line(ours, theirs, '08', '00000140') + line(ours, theirs, '08', '00000020')],
  // Other connections are on the same ports.
  [0, line('0200007F:A1B2', theirs, '08', '00000140') + line(ours, theirs, '08', '00000000')],
  [0x140, line(ours, theirs, '08', '00000140') + line('0200007F:A1B2', theirs, '08', '00000000')],
  ['gone', line('0200007F:A1B2', theirs, '08', '00000000')],
  ['gone', line(ours, '0200007F:2328', '08', '00000000')],
])('says %s, by the list of the kernel', (expected, lines) => {
  expect(unacknowledgedIn(HEAD + lines, ours, theirs)).toBe(expected);
});

it('says that it does not know, where there is no list', () => {
  expect(unacknowledgedIn('', ours, theirs)).toBe('unknown');
});

it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])(
  'a half-closed peer on %s takes all, and one that is gone is seen to be gone',
  async (host) => {
    const accepted: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket.on('error', () => {}).resume());
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const socket = connect({ host, port, allowHalfOpen: true });
    await new Promise((resolve) =>
      socket
        .on('error', () => {})
        .resume()
        .once('end', resolve),
    );
    const sockets = new TcpSockets();
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    const names = { localAddress, localPort, remoteAddress, remotePort };
    socket.write('x');
    await waitFor(async () => (await sockets.unacknowledged(names)) === 0);
    accepted[0]?.destroy();
    socket.write('x');
    await waitFor(async () => (await sockets.unacknowledged(names)) === 'gone');
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  },
);

it('a FIN acknowledges all that the other end had read before: 200 connections', async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const sockets = new TcpSockets();
  const left = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).resume();
      await new Promise((resolve) => socket.once('connect', resolve));
      const { localAddress, localPort, remoteAddress, remotePort } = socket;
      socket.write('x'.repeat(500));
      await new Promise((resolve) => socket.once('end', resolve));
      const seen = await sockets.unacknowledged({ localAddress, localPort, remoteAddress, remotePort });
      socket.destroy();
      return seen;
    }),
  );
  expect(new Set(left)).toEqual(new Set([0]));
  await new Promise((resolve) => server.close(resolve));
});

it('what is sent behind the FIN of a server that reads nothing is not acknowledged at once', async () => {
  // More than its kernel keeps for one that does not read.
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    accepted.push(socket.on('error', () => {}).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).resume();
  await new Promise((resolve) => socket.once('end', resolve));
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  socket.on('error', () => {}).write(Buffer.alloc(32 * 1024 * 1024));
  const sockets = new TcpSockets();
  const left = await sockets.unacknowledged({ localAddress, localPort, remoteAddress, remotePort });
  expect(left).toBeGreaterThan(0);
  for (const one of [socket, ...accepted]) one.destroy();
  await new Promise((resolve) => server.close(resolve));
});
