/**
 * Not every gateway to every server: hundreds of each are tens of thousands of pairs, each too seldom in use for a connection to be
 * worth its worker. The servers are dealt out (deterministic subsetting): so many gateways as there are parts share out all servers
 * among them, in an order of their own, and the next so many do the same in another. Chosen by chance, some would be known to nobody.
 */
import { mix } from './hash.ts';

/** A server as this choice sees it. */
export interface Dealt {
  /** The name is the same in every process that knows the server. */
  readonly target: { readonly name: string };
  readonly settings: { readonly backup: boolean };
}

export interface Subset {
  /** So many servers at the least, and less than twice as many; backups come on top. */
  readonly size: number;
  /** Which gateway this is, 0, 1, 2, ...: each process has a number of its own. */
  readonly gateway: number;
}

export function subset<S extends Dealt>(servers: readonly S[], { size, gateway }: Subset): readonly S[] {
  const dealt = servers.filter(({ settings }) => !settings.backup);
  const parts = Math.max(1, Math.floor(dealt.length / size));
  const round = String(Math.floor(gateway / parts));
  const part = gateway % parts;
  // By rank, not by shuffling: where one server comes or goes, each part changes by one or two.
  const order = dealt
    .map((server) => ({ server, rank: mix(round, server.target.name) }))
    .sort((a, b) => a.rank - b.rank || a.server.target.name.localeCompare(b.server.target.name, 'en'));
  const border = (nth: number): number => Math.floor((nth * dealt.length) / parts);
  const mine = new Set(order.slice(border(part), border(part + 1)).map(({ server }) => server));
  return servers.filter((server) => server.settings.backup || mine.has(server));
}
