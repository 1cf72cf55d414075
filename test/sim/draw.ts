/** Configurations that nobody chose: each is drawn from its seed. */
import type { Scenario } from './scenario.ts';
import { randomFrom } from './time.ts';

/** Kinds of load, each with laws of its own. */
export type Kind = 'closed' | 'overload' | 'neighbours' | 'trouble';

export const KINDS: readonly Kind[] = ['closed', 'overload', 'neighbours', 'trouble'];

export interface Drawn extends Scenario {
  readonly kind: Kind;
}

const WORKERS = [1, 2, 3, 4, 6, 8, 16, 32, 64];
const PAGES: readonly (readonly number[])[] = [
  [0.3],
  [1],
  [3],
  [8],
  [25],
  [60],
  [200],
  [1_000],
  [5, 60],
  [10, 300],
  [1, 1, 1, 100],
];
/** Requests that one scenario may ask: they cost real time. */
const MOST_REQUESTS = 1_500;

export function draw(seed: number): Drawn {
  const random = randomFrom(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kind = one(KINDS);
  const workers = one(WORKERS);
  const pages = one(PAGES);
  const mean = pages.reduce((sum, page) => sum + page, 0) / pages.length;
  const latency = random() < 0.2 ? one([0.05, 2, 10]) : 0;
  /** Requests a ms that the workers can do. */
  const capacity = workers / (mean + 0.1 + 2 * latency);
  const ms = (load: number): number =>
    Math.max(20 * mean, Math.min(4_000, MOST_REQUESTS / (load * capacity)));
  const base = { seed, kind, pages, latency, gateways: 1 };
  switch (kind) {
    case 'closed': {
      const connections = workers + Math.floor(random() * workers * 2);
      return {
        ...base,
        fpm: { workers, started: random() < 0.3 ? 1 : workers },
        clients: connections + Math.ceil(random() * workers),
        options: { connections, ...(random() < 0.2 ? { keepalive: 0 } : {}) },
        ms: ms(1),
      };
    }
    case 'overload': {
      const load = one([1.2, 1.5, 3, 5]);
      return {
        ...base,
        fpm: { workers },
        rate: load * capacity * 1_000,
        giveUp: 2_000,
        options: { connections: workers * one([1, 2]) },
        ms: ms(load),
      };
    }
    case 'neighbours': {
      const gateways = 1 + Math.floor(random() * 4);
      const busy = random() < 0.5;
      const connections = one([4, 8, 16]);
      return {
        ...base,
        fpm: { workers },
        gateways,
        ...(busy ? { clients: 2 * connections } : { rate: Math.min(6, 300 * capacity) }),
        options: { connections },
        visitorEvery: Math.max(50, 10 / capacity),
        ms: busy ? ms(1) : 4_000,
      };
    }
    case 'trouble':
      return {
        ...base,
        fpm: { workers, maxRequests: one([1, 5, 50, 500]), started: random() < 0.3 ? 1 : workers },
        clients: Math.ceil(2 * workers * random()),
        options: { connections: one([1, workers, 2 * workers]) },
        ms: ms(1),
        ...(random() < 0.5 ? { reloadEvery: 300 } : {}),
        ...(random() < 0.4 ? { killEvery: 170 } : {}),
        ...(random() < 0.4 ? { stallEvery: 400, stallFor: one([60, 130, 900, 3_000]) } : {}),
      };
  }
}
