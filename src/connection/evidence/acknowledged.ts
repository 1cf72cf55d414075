/**
 * Linux tells whether the kernel at the other end of a TCP connection has taken what was sent: a proof that no delay of
 * the network can fake, as a silence can. Read seldom: the kernel lists all sockets of the machine for it.
 */
import { readKernelFile } from './kernel-file.ts';

/**
 * Of a socket whose other end has sent its FIN:
 * - `'all'`: everything that was sent has been acknowledged.
 * - `'some'`: not everything.
 * - `'gone'`: there is no such socket any more: it has been reset.
 * - `'unknown'`: this machine does not say.
 */
export type Acknowledged = 'all' | 'some' | 'gone' | 'unknown';

/** Of Linux alone. */
const LISTS = ['/proc/net/tcp', '/proc/net/tcp6'];

export async function acknowledged(localPort: number, remotePort: number): Promise<Acknowledged> {
  const lists = await Promise.all(LISTS.map((path) => readKernelFile(path)));
  return lists[0] === '' ? 'unknown' : unacknowledgedIn(lists.join('\n'), localPort, remotePort);
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
