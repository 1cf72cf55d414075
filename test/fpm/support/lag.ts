/**
 * A network of one's own, whose packets can be delayed or dropped from any moment on: a TUN device. What is sent to `far`
 * comes to this process, and goes back with its two addresses exchanged, so that it arrives at `near` as if it came from
 * `far`. (The checksums are sums: they stay what they are.) Kernels need no netem for it; it takes root and /dev/net/tun.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { Child, need } from './child.ts';
import { waitFor } from './wait.ts';

export interface Lag extends AsyncDisposable {
  /** Where a server of this machine listens, and where it is found through the network. */
  readonly near: string;
  readonly far: string;
  /** ms on the way, each way, from now on. */
  delay: number;
  /** Packets to this port get lost from now on; 0: none. */
  lostTo: number;
}

const SOURCE = 12;
const DESTINATION = 16;
const END = 20;

/** Null where this machine does not let us. */
export async function startLag(): Promise<Lag | null> {
  // Of the range for tests of networks (RFC 2544); other test runs of this machine have other addresses.
  const net = `198.18.${Math.floor(256 * Math.random())}.${4 * Math.floor(64 * Math.random())}`;
  const [near, far] = [1, 2].map((host) => net.replace(/\d+$/, (last) => String(Number(last) + host)));
  if (near === undefined || far === undefined) return null;
  const lag = { near, far, delay: 0, lostTo: 0 };
  const udp = createSocket('udp4');
  udp.on('message', (packet, from) => {
    if ((packet[0] ?? 0) >> 4 !== 4 || packet.length < END) return;
    const ports = 4 * ((packet[0] ?? 0) & 15);
    if (lag.lostTo > 0 && packet.readUInt16BE(ports + 2) === lag.lostTo) return;
    const source = Buffer.from(packet.subarray(SOURCE, DESTINATION));
    packet.copyWithin(SOURCE, DESTINATION, END);
    packet.set(source, DESTINATION);
    const send = (): void => {
      if (!closed) udp.send(packet, from.port, from.address);
    };
    if (lag.delay > 0) setTimeout(send, lag.delay);
    else send();
  });
  let closed = false;
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const close = (): void => {
    closed = true;
    udp.close();
  };
  try {
    const child = await Child.start({
      command: need('socat'),
      args: ['-b', '70000', `TUN:${near}/30,iff-no-pi,up`, `UDP:127.0.0.1:${udp.address().port}`],
      ready: () => waitFor(() => hasAddress(near), { what: 'the TUN device' }),
    });
    return Object.assign(lag, {
      [Symbol.asyncDispose]: async () => {
        await child.stop();
        close();
      },
    });
  } catch {
    close();
    return null;
  }
}

function hasAddress(wanted: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === wanted));
}
