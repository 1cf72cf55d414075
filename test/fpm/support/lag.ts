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
  /** Packets from this port get lost from now on, once their connection is there; 0: none. */
  lostFrom: number;
  /** Like a firewall that is started anew: what belongs to a connection that was there before is answered with a reset, or lost. */
  forget(): void;
}

const SOURCE = 12;
const DESTINATION = 16;
const END = 20;
const SYN = 2;
const RST = 4;

/** Null where this machine does not let us. */
export async function startLag(): Promise<Lag | null> {
  // Of the range for tests of networks (RFC 2544); other test runs of this machine have other addresses.
  const net = `198.18.${Math.floor(256 * Math.random())}.${4 * Math.floor(64 * Math.random())}`;
  const [near, far] = [1, 2].map((host) => net.replace(/\d+$/, (last) => String(Number(last) + host)));
  if (near === undefined || far === undefined) return null;
  const opened = new Set<number>();
  let forgotten = new Set<number>();
  const lag = {
    ...{ near, far, delay: 0, lostTo: 0, lostFrom: 0 },
    forget: () => {
      forgotten = new Set(opened);
    },
  };
  const udp = createSocket('udp4');
  udp.on('message', (given, from) => {
    let packet: Buffer = given;
    if ((packet[0] ?? 0) >> 4 !== 4 || packet.length < 2 * END) return;
    const ports = 4 * ((packet[0] ?? 0) & 15);
    const [fromPort, toPort] = [packet.readUInt16BE(ports), packet.readUInt16BE(ports + 2)];
    const flags = packet.readUInt8(ports + 13);
    if (lag.lostTo > 0 && toPort === lag.lostTo) return;
    if (lag.lostFrom > 0 && fromPort === lag.lostFrom && (flags & SYN) === 0) return;
    if (flags === SYN) {
      opened.add(fromPort);
      forgotten.delete(fromPort);
    }
    if (forgotten.has(toPort) || (forgotten.has(fromPort) && (flags & RST) > 0)) return;
    if (forgotten.has(fromPort)) packet = resetFor(packet, ports);
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

/** What resets the connection of a TCP packet; its addresses are those of the packet, as they are still to be exchanged. */
function resetFor(packet: Buffer, tcp: number): Buffer {
  const reset = Buffer.alloc(tcp + END);
  packet.copy(reset, 0, 0, tcp);
  reset.writeUInt16BE(reset.length, 2);
  reset.writeUInt16BE(0, 10);
  reset.writeUInt16BE(checksum(reset.subarray(0, tcp)), 10);
  packet.copy(reset, tcp, tcp + 2, tcp + 4);
  packet.copy(reset, tcp + 2, tcp, tcp + 2);
  // Where the one who gets it expects the next byte.
  packet.copy(reset, tcp + 4, tcp + 8, tcp + 12);
  reset.writeUInt16BE((5 << 12) | RST, tcp + 12);
  const TCP_PROTOCOL = 6;
  const pseudo = Buffer.from([...reset.subarray(SOURCE, END), 0, TCP_PROTOCOL, 0, END]);
  reset.writeUInt16BE(checksum(Buffer.concat([pseudo, reset.subarray(tcp)])), tcp + 16);
  return reset;
}

/** The internet's (RFC 1071), of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
