/**
 * Linux tells whether the kernel at the other end of a TCP connection has taken what was sent: a proof that no delay of
 * the network can fake, as a silence can. Read seldom: the kernel lists all sockets of the machine for it.
 */
import { SocketList } from './socket-list.ts';

/**
 * Of a socket whose other end has sent its FIN:
 * - `'all'`: everything that was sent has been acknowledged.
 * - `'some'`: not everything.
 * - `'gone'`: there is no such socket any more: it has been reset.
 * - `'unknown'`: this machine does not say.
 */
export type Acknowledged = 'all' | 'some' | 'gone' | 'unknown';

/** Of Linux alone. One for all connections to a server. */
export class TcpSockets {
  readonly #ipv4: SocketList = new SocketList('/proc/net/tcp');
  readonly #ipv6: SocketList = new SocketList('/proc/net/tcp6');

  async acknowledged({
    localAddress = '',
    localPort = 0,
    remotePort = 0,
  }: SocketNames): Promise<Acknowledged> {
    const list = await (localAddress.includes(':') ? this.#ipv6 : this.#ipv4).read();
    return list === '' ? 'unknown' : unacknowledgedIn(list, localPort, remotePort);
  }
}

/** As a socket of node's has them, while it is connected. */
interface SocketNames {
  /** `::ffff:127.0.0.1` where it is one of IPv6 that speaks to the other. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
}

/** `list`: as in /proc/net/tcp: number, local and remote address, state, bytes to send : bytes to read, all in hex. */
export function unacknowledgedIn(list: string, localPort: number, remotePort: number): Acknowledged {
  const CLOSE_WAIT = '08';
  const line = ` ([0-9A-F]+):${hex(localPort)} ([0-9A-F]+):${hex(remotePort)} ([0-9A-F]{2}) ([0-9A-F]{8}):`;
  const found = [...list.matchAll(new RegExp(line, 'g'))];
  // Two of the same ports have different addresses: which is ours is not worth to know.
  if (new Set(found.map(([, local, remote]) => `${local} ${remote}`)).size > 1) return 'unknown';
  // It may be listed twice: the kernel loses its place where sockets come and go while it is read.
  const waiting = found.filter(([, , , state]) => state === CLOSE_WAIT);
  if (waiting.length === 0) return 'gone';
  return waiting.some(([, , , , queued]) => queued === '00000000') ? 'all' : 'some';
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
