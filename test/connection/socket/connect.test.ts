/** What a connect makes of an address, on the real kernel. */
import { readFileSync } from 'node:fs';
import { createServer, connect as netConnect } from 'node:net';
import { expect, it } from 'vitest';
import { Clock, systemTimers } from '../../../src/connection/clock.ts';
import { TcpSockets } from '../../../src/connection/evidence/acknowledged.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { type ConnectOptions, connect, meetsItself } from '../../../src/connection/socket/connect.ts';
import { ReadBuffer } from '../../../src/connection/socket/read-buffer.ts';
import { lookupMock } from '../support.ts';

function once(): ConnectOptions {
  return {
    timeout: 0,
    clock: new Clock(systemTimers),
    readBuffer: new ReadBuffer(),
    tcpSockets: new TcpSockets(),
    signal: new AbortController().signal,
  };
}

/**
 * A port at which nothing listens, of those that the kernel takes for outgoing connections: of these every other one, as Linux
 * leaves the rest to listeners.
 */
async function outgoingPort(): Promise<number> {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  for (;;) {
    const port = first + 2 * Math.floor((Math.random() * (last - first)) / 2);
    const isFree = await new Promise((resolve) => {
      const server = createServer().on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

it('a connection that has met itself is told from all others by its two ends', async () => {
  const port = await outgoingPort();
  const itself = netConnect({ host: '127.0.0.1', port, localPort: port });
  await new Promise((resolve, reject) => itself.once('error', reject).once('connect', resolve));
  expect(meetsItself(itself)).toBe(true);
  itself.destroy();
  const names = { localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 1 };
  expect(meetsItself(names)).toBe(true);
  expect(meetsItself({ ...names, localPort: 2 })).toBe(false);
  // It has been reset already, and has none.
  expect(meetsItself({})).toBe(false);
  // A server on another machine may have the number that we have here.
  expect(meetsItself({ ...names, remoteAddress: '192.0.2.1' })).toBe(false);
});

it('where nothing listens at a port of the ephemeral range, a connection that would meet itself is refused', async () => {
  const target = parseAddress(`127.0.0.1:${await outgoingPort()}`);
  const options = once();
  // Each time with another port of its own, until that is the one it connects to.
  for (let tries = 0; tries < 15_000; tries++) {
    await expect(connect(target, options)).rejects.toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      cause: { code: 'ECONNREFUSED' },
    });
  }
}, 60_000);

it('of a name with two addresses, of which one leads nowhere and one refuses, it says that nothing listens', async () => {
  const port = await outgoingPort();
  const both = [
    // TCP cannot connect to it: the kernel says so, and sends nothing.
    { address: '255.255.255.255', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  const lookup = lookupMock(() => both);
  try {
    await expect(connect(parseAddress(`two.test:${port}`), once())).rejects.toMatchObject({
      message: `cannot connect to two.test:${port}: ECONNREFUSED`,
      hint: expect.stringContaining('nothing listens'),
    });
  } finally {
    lookup.mockRestore();
  }
});
