/** The servers of an Upstream: those in use, and those that were taken out and end what they have. */
import type { Server } from '../pool/server.ts';
import { addCounts, type ServerCounts } from '../pool/stats/stats.ts';
import type { DiscoveredServer } from './discovery/source.ts';
import { Member } from './member.ts';

export class Members {
  /** In the order given. */
  all: readonly Member[] = [];
  leaving: readonly Member[] = [];
  servers: readonly Server[] = [];
  readonly #make: (found: DiscoveredServer) => Server;
  readonly #areChecked: boolean;
  readonly #byServer: Map<unknown, Member> = new Map();
  /** What those have done that are gone. */
  #gone: readonly ServerCounts[] = [];

  /** `areChecked`: by `healthCheck`. */
  constructor(make: (found: DiscoveredServer) => Server, areChecked: boolean) {
    this.#make = make;
    this.#areChecked = areChecked;
  }

  get counts(): readonly ServerCounts[] {
    return [...this.servers, ...this.#gone];
  }

  /** In use, or leaving. */
  of(server: unknown): Member | undefined {
    return this.#byServer.get(server);
  }

  /** Those that stay keep what is known of them; the same address twice is two servers. */
  update(found: readonly DiscoveredServer[]): void {
    const before = new Map<string, Member[]>();
    for (const member of this.all) {
      const key = keyOf(member.name, member.isUnknown);
      before.set(key, [...(before.get(key) ?? []), member]);
    }
    const all: Member[] = [];
    for (const one of found) {
      const known = before.get(keyOf(one.target.name, one.unknown !== undefined))?.shift();
      known?.configure(one.origin, one.settings);
      all.push(known ?? this.#add(one));
    }
    const vanished = [...before.values()].flat();
    this.all = all;
    this.leaving = [...this.leaving, ...vanished];
    this.#list();
    for (const member of vanished) {
      member.leave();
      member.server.retire();
    }
    this.forgetDrained();
  }

  /** Forgets those that have ended what they had. */
  forgetDrained(): void {
    if (this.leaving.length === 0) return;
    const over = this.leaving.filter(({ server }) => server.busy === 0 && server.connected === 0);
    if (over.length === 0) return;
    this.leaving = this.leaving.filter((member) => !over.includes(member));
    for (const { server } of over) this.#byServer.delete(server);
    this.#gone = [addCounts([...this.#gone, ...over.map(({ server }) => server)])];
    this.#list();
  }

  #add(found: DiscoveredServer): Member {
    const server = this.#make(found);
    const member = new Member(server, found, this.#areChecked);
    this.#byServer.set(server, member);
    return member;
  }

  #list(): void {
    this.servers = [...this.all, ...this.leaving].map(({ server }) => server);
  }
}

/** What stands for a name that could not be looked up is not the server of that name. */
function keyOf(name: string, isUnknown: boolean): string {
  return isUnknown ? `${name} unknown` : name;
}
