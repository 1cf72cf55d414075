/**
 * This folder: which server is next. Pure: it ranks candidates and knows no connection.
 */
/** Which of the servers that may be asked takes the next request: pure, over plain facts. */

export type Balance = 'least-conn' | 'round-robin' | 'random-two' | 'hash';

/** A server as the choice sees it. */
export interface Candidate {
  /** For `'hash'`: the same in every process that knows the server. */
  readonly name: string;
  /** Its share; less than its option says while it is eased in. */
  readonly weight: number;
  /** Requests on it. */
  readonly load: number;
  /** How many requests a server of weight 1 can run at once, as far as known; by `capacityOf`. */
  readonly capacity: number;
  /** Smooth weighted round robin keeps its state here. */
  current: number;
}

/** The least loaded for what it can run; among equals in turn, by weight. */
export function leastConn<C extends Candidate>(servers: readonly C[]): C | null {
  let least = Number.POSITIVE_INFINITY;
  let equals: C[] = [];
  for (const server of servers) {
    const load = relativeLoad(server);
    if (load > least) continue;
    if (load < least) equals = [];
    least = load;
    equals.push(server);
  }
  return roundRobin(equals);
}

/** nginx's smooth weighted round robin: 5, 1, 1 gives a a b a c a a. */
export function roundRobin<C extends Candidate>(servers: readonly C[]): C | null {
  let best: C | null = null;
  let total = 0;
  for (const server of servers) {
    server.current += server.weight;
    total += server.weight;
    if (best === null || server.current > best.current) best = server;
  }
  if (best !== null) best.current -= total;
  return best;
}

/** Of two at random, by weight, the less loaded: many clients that know nothing of each other do not all run to the same one. */
export function randomTwo<C extends Candidate>(servers: readonly C[], random: () => number): C | null {
  const first = atRandom(servers, random);
  const second = atRandom(
    servers.filter((server) => server !== first),
    random,
  );
  if (first === null || second === null) return first ?? second;
  return relativeLoad(second) < relativeLoad(first) ? second : first;
}

export function relativeLoad({ load, weight, capacity }: Candidate): number {
  return load / (weight * capacity);
}

/**
 * How many requests a server of weight 1 can run at once. A server that has never been busy has shown few workers, and must not be spared
 * for that: it is taken to be as able as the best (`most`, for weight 1), unless it was just seen to be full.
 */
export function capacityOf(workers: number, full: boolean, weight: number, most: number): number {
  return full ? Math.min(most, Math.max(1, workers) / weight) : most;
}

function atRandom<C extends Candidate>(servers: readonly C[], random: () => number): C | null {
  let left = random() * servers.reduce((total, { weight }) => total + weight, 0);
  for (const server of servers) {
    left -= server.weight;
    if (left < 0) return server;
  }
  return servers.at(-1) ?? null;
}
