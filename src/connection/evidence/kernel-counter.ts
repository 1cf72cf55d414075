/** What the kernel counts, of all sockets of this machine (Linux: of its network namespace): has it gone up since a request was sent? */
import { readKernelFile } from './kernel-file.ts';

/** Null: the kernel does not say. */
export type ReadCounter = () => Promise<number | null>;

/** Sockets that it has reset because it was short of memory for them; see orphans.ts. */
export const readOrphanResets: ReadCounter = async () =>
  counterIn(await readKernelFile('/proc/net/netstat'), 'TcpExt', 'TCPAbortOnMemory');

/**
 * Segments that it has sent once more, less those of which the other end has said that it had them (DSACK: it is alive, and its
 * acknowledgement was only late, as for the last piece of a request it often is). A reset that answers one of the rest says nothing of the
 * request: the first copy has come to its end, be the acknowledgement lost, and a firewall, or another host that has taken the
 * address over, resets the second.
 */
export const readRetransmissions: ReadCounter = async () => {
  const [all, extended] = await Promise.all([
    readKernelFile('/proc/net/snmp'),
    readKernelFile('/proc/net/netstat'),
  ]);
  return retransmissionsIn(all, extended);
};

/** `all`, `extended`: /proc/net/snmp, and netstat beside it. Older kernels count the acknowledgements that say so, not the segments. */
export function retransmissionsIn(all: string, extended: string): number | null {
  const sent = counterIn(all, 'Tcp', 'RetransSegs');
  const had =
    counterIn(extended, 'TcpExt', 'TCPDSACKRecvSegs') ?? counterIn(extended, 'TcpExt', 'TCPDSACKRecv');
  return sent === null || had === null ? null : sent - had;
}

/** Looks that are kept: of a minute or two. */
const MOST_LOOKS = 100;

/** Its count is compared with one from before: what happened once says nothing for as long as the machine runs. */
export class KernelCounter {
  readonly #read: ReadCounter;
  readonly #now: () => number;
  /** What it was, and the ms at which that was known; oldest first. */
  readonly #looks: { readonly count: number; readonly at: number }[] = [];
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
    const before = this.#looks.filter(({ at }) => at <= sentAt).slice(-2);
    const now = await this.#look();
    // The lower of two: what was sent once more a moment before a look, the other end has not had the time to speak of.
    const count = Math.min(...before.map((look) => look.count));
    if (now === null || now === 0) return now === null;
    return before.length === 0 || now > count;
  }

  async #look(): Promise<number | null> {
    this.#looking = true;
    const count = await this.#read();
    this.#looking = false;
    if (count === null) return null;
    const same = this.#looks.slice(-2).filter((look) => look.count === count);
    if (same.length < 2) this.#looks.push({ count, at: this.#now() });
    if (this.#looks.length > MOST_LOOKS) this.#looks.shift();
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
