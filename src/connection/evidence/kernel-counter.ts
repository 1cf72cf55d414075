/** What the kernel counts, of all sockets of this machine (Linux: of its network namespace): has it gone up since a request was sent? */
import { readKernelFile } from './kernel-file.ts';

/** Null: the kernel does not say. */
export type ReadCounter = () => Promise<number | null>;

/** Sockets that it has reset because it was short of memory for them; see orphans.ts. */
export const readOrphanResets: ReadCounter = async () =>
  counterIn(await readKernelFile('/proc/net/netstat'), 'TcpExt', 'TCPAbortOnMemory');

/**
 * Segments that it has sent once more. A reset that answers one of those says nothing of the request: the first copy has come to
 * its end, be the acknowledgement lost, and a firewall, or another host that has taken the address over, resets the second.
 */
export const readRetransmissions: ReadCounter = async () =>
  counterIn(await readKernelFile('/proc/net/snmp'), 'Tcp', 'RetransSegs');

/** Its count is compared with one from before: what happened once says nothing for as long as the machine runs. */
export class KernelCounter {
  readonly #read: ReadCounter;
  readonly #now: () => number;
  #count: number | null = null;
  /** ms: the count was at least that by then. */
  #readAt = Number.POSITIVE_INFINITY;
  #isBegun = false;
  #looking = false;

  /** `now`: ms, monotonic. */
  constructor(read: ReadCounter, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /** A connection is there for which it may be asked: it takes a count from before. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    void this.#look();
  }

  /** Takes a newer count, for the requests that are sent from now on. Not before `begin()`. */
  refresh(): void {
    if (this.#isBegun && !this.#looking) void this.#look();
  }

  /** True where nobody knows. `sentAt`: ms. */
  async hasGrownSince(sentAt: number): Promise<boolean> {
    const before = this.#readAt <= sentAt ? this.#count : null;
    const now = await this.#look();
    return now !== 0 && (now === null || now !== before);
  }

  async #look(): Promise<number | null> {
    this.#looking = true;
    const count = await this.#read();
    this.#looking = false;
    if (count !== null && (this.#count === null || count > this.#count)) {
      this.#count = count;
      this.#readAt = this.#now();
    }
    return count;
  }
}

/** `counters`: as in /proc/net/netstat: of each group a line of names, and one of numbers. Null: there is no such counter. */
export function counterIn(counters: string, group: string, name: string): number | null {
  const [names = '', numbers = ''] = counters.split('\n').filter((line) => line.startsWith(`${group}: `));
  const at = names.split(' ').indexOf(name);
  const number = at < 0 ? undefined : numbers.split(' ')[at];
  return number === undefined ? null : Number(number);
}
