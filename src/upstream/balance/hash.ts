/**
 * The same key to the same server, whichever process asks and in whatever order the servers were given: weighted rendezvous hashing.
 * Where a server goes, only its own keys move. A key that everybody asks for must not drown one server: no server gets more than
 * a quarter above its share of what is running (consistent hashing with bounded loads, Mirrokni et al.).
 */
import type { Candidate } from './balance.ts';

/** Above its share. */
const BOUND = 1.25;

export function byHash<C extends Candidate>(servers: readonly C[], key: string): C | null {
  const running = servers.reduce((total, { load }) => total + load, 1);
  const weights = servers.reduce((total, { weight }) => total + weight, 0);
  let best: C | null = null;
  let most = Number.NEGATIVE_INFINITY;
  for (const server of servers) {
    if (server.load >= Math.ceil((BOUND * running * server.weight) / weights)) continue;
    const rank = score(server, key);
    if (rank <= most) continue;
    best = server;
    most = rank;
  }
  return best;
}

/** Weighted: -w / ln(u), u evenly spread over (0, 1). */
function score({ name, weight }: Candidate, key: string): number {
  return -weight / Math.log((mix(key, name) + 0.5) / 2 ** 32);
}

/** 32 bits, FNV-1a over both and MurmurHash3's finalizer, which spreads the last bytes over all bits. */
export function mix(key: string, name: string): number {
  let hash = 0x811c9dc5;
  for (const text of [name, '\0', key]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
