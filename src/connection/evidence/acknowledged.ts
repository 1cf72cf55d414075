/**
 * Linux tells whether the kernel at the other end of a TCP connection has taken what was sent: a proof that no delay of
 * the network can fake, as a silence can. Read seldom: the kernel lists all sockets of the machine for it.
 */
import { listedAddress } from './listed-address.ts';
import { SocketList } from './socket-list.ts';

/**
 * Of a socket whose other end has sent its FIN:
 * - a number: so many of the bytes that were sent have not been acknowledged.
 * - `'gone'`: there is no such socket any more: it has been reset.
 * - `'unknown'`: this machine does not say.
 */
export type Unacknowledged = number | 'gone' | 'unknown';

/** Of Linux alone. One for all connections to a server. */
export class TcpSockets {
  readonly #ipv4: SocketList = new SocketList('/proc/net/tcp');
  readonly #ipv6: SocketList = new SocketList('/proc/net/tcp6');

  async unacknowledged({
    localAddress = '',
    localPort = 0,
    remoteAddress = '',
    remotePort = 0,
  }: SocketNames): Promise<Unacknowledged> {
    const list = await (localAddress.includes(':') ? this.#ipv6 : this.#ipv4).read();
    return unacknowledgedIn(
      list,
      listedAddress(localAddress, localPort),
      listedAddress(remoteAddress, remotePort),
    );
  }
}

/** As a socket of node's has them, while it is connected. */
export interface SocketNames {
  /** `::ffff:127.0.0.1` where it is one of IPv6 that speaks to the other. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/**
 * `list`: '' where the kernel does not tell; as in /proc/net/tcp: number, local and remote end, state, bytes to send : bytes to read, all in hex. It has the sockets of
 * all processes: on the ports of ours there may be one to another address, which a program has forgotten to close.
 */
export function unacknowledgedIn(list: string, local: string, remote: string): Unacknowledged {
  if (list === '') return 'unknown';
  const CLOSE_WAIT = '08';
  const line = new RegExp(` ${local} ${remote} ([0-9A-F]{2}) ([0-9A-F]{8}):`, 'g');
  // It may be listed twice: the kernel loses its place where sockets come and go while it is read.
  const waiting = [...list.matchAll(line)].filter(([, state]) => state === CLOSE_WAIT);
  return waiting.length === 0 ? 'gone' : Math.min(...waiting.map(([, , queued]) => Number(`0x${queued}`)));
}
