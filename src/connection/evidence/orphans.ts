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

/** Since it was started, the kernel of this machine has done so as often. Null where it does not say. */
export async function readOrphanResets(): Promise<number | null> {
  return counterIn(await readKernelFile('/proc/net/netstat'), 'TCPAbortOnMemory');
}

/**
 * Has the kernel done so since a request was sent? Its count is compared with one from before: a machine that was short of memory
 * once is not one for as long as it runs.
 */
export class OrphanResets {
  readonly #read: () => Promise<number | null>;
  readonly #now: () => number;
  #count: number | null = null;
  /** ms: the count was at least that by then. */
  #readAt = Number.POSITIVE_INFINITY;
  #isBegun = false;

  /** `now`: ms, monotonic. */
  constructor(read: () => Promise<number | null>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /** A connection is there for which it may be asked: it takes a count from before. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    void this.#look();
  }

  /** True where nobody knows. `sentAt`: ms. */
  async hasResetSince(sentAt: number): Promise<boolean> {
    const before = this.#readAt <= sentAt ? this.#count : null;
    const now = await this.#look();
    return now !== 0 && (now === null || now !== before);
  }

  async #look(): Promise<number | null> {
    const count = await this.#read();
    if (count !== null && (this.#count === null || count > this.#count)) {
      this.#count = count;
      this.#readAt = this.#now();
    }
    return count;
  }
}

/** `counters`: as in /proc/net/netstat: a line of names, and one of numbers. Null: there is no such counter. */
export function counterIn(counters: string, name: string): number | null {
  const [names = '', numbers = ''] = counters.split('\n').filter((line) => line.startsWith('TcpExt: '));
  const at = names.split(' ').indexOf(name);
  const number = at < 0 ? undefined : numbers.split(' ')[at];
  return number === undefined ? null : Number(number);
}
