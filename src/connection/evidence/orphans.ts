/**
 * Was it the request that was reset behind the server's FIN? It is where the two crossed: the server had closed before the
 * request came. But a kernel short of memory for sockets (Linux: tcp_max_orphans, tcp_mem) also resets what a dead
 * process leaves, right behind the FIN, although nothing was left unread.
 */
import { readKernelFile } from './kernel-file.ts';

/**
 * ms, beside a round trip: the FIN of a server that had closed was on its way by then. The rest is for a busy machine
 * (seen: up to 7). What is killed later may have run.
 */
const CROSSED_WITHIN = 10;

export interface ResetBehindFin {
  /** The kernel at the other end may reset what a dead process leaves. */
  readonly resetsOrphans: boolean;
  /** ms from the sending to the FIN. */
  readonly sinceSent: number;
  /** ms, as measured at connect. */
  readonly roundTrip: number;
}

export function wasRequestReset({ resetsOrphans, sinceSent, roundTrip }: ResetBehindFin): boolean {
  return !resetsOrphans || sinceSent <= roundTrip + CROSSED_WITHIN;
}

/** Has the kernel of this machine done so since it was started? True where it does not say. */
export async function hasResetOrphans(): Promise<boolean> {
  const counters = await readKernelFile('/proc/net/netstat');
  return counterIn(counters, 'TCPAbortOnMemory') !== 0;
}

/** `counters`: as in /proc/net/netstat: a line of names, and one of numbers. Null: there is no such counter. */
export function counterIn(counters: string, name: string): number | null {
  const [names = '', numbers = ''] = counters.split('\n').filter((line) => line.startsWith('TcpExt: '));
  const at = names.split(' ').indexOf(name);
  const number = at < 0 ? undefined : numbers.split(' ')[at];
  return number === undefined ? null : Number(number);
}
