/** Processes with few requests each, whose idle connections hold the workers, and one more process that keeps nothing. */
import { expect, it } from 'vitest';
import type { PoolOptions } from '../../src/pool/options.ts';
import { percentile } from './load.ts';
import { play } from './scenario.ts';

interface Seen {
  /** ms that half, and 99 of 100, of the requests of the processes took at most. */
  readonly half: number;
  readonly most: number;
  /** And 99 of 100 of the one that keeps nothing. */
  readonly visitor: number;
}

interface Processes {
  readonly count: number;
  /** Requests of each a second. */
  readonly rate: number;
  readonly workers: number;
  readonly page: number;
  /** ms, one way. */
  readonly latency: number;
}

async function beside(
  { count, rate, workers, page, latency }: Processes,
  options: PoolOptions = {},
): Promise<Seen> {
  const load = { pages: [page], rate, visitorEvery: 50, ms: 20_000, latency };
  const { asked, visitor } = await play({ seed: 1, ...load, gateways: count, fpm: { workers }, options });
  expect(asked.filter(({ error }) => error !== '')).toEqual([]);
  const visits = (visitor?.asked ?? []).map(({ took }) => took);
  const took = asked.filter((one) => !visitor?.asked.includes(one)).map((one) => one.took);
  return { half: percentile(took, 0.5), most: percentile(took, 0.99), visitor: percentile(visits, 0.99) };
}

it.each([
  { count: 1, rate: 20, workers: 1, page: 2, latency: 0 },
  { count: 4, rate: 6, workers: 1, page: 2, latency: 0 },
  { count: 4, rate: 20, workers: 2, page: 2, latency: 0 },
  { count: 10, rate: 20, workers: 4, page: 2, latency: 0 },
  { count: 16, rate: 20, workers: 4, page: 2, latency: 0 },
  { count: 16, rate: 20, workers: 8, page: 2, latency: 0 },
  { count: 10, rate: 6, workers: 2, page: 20, latency: 0 },
  { count: 10, rate: 20, workers: 8, page: 20, latency: 0 },
  { count: 4, rate: 6, workers: 2, page: 2, latency: 0.25 },
  { count: 10, rate: 20, workers: 4, page: 2, latency: 0.25 },
  { count: 10, rate: 6, workers: 4, page: 20, latency: 0.5 },
  { count: 10, rate: 20, workers: 4, page: 2, latency: 0.5 },
])(
  '$count processes, $rate requests a second each, on $workers workers, pages of $page ms, $latency ms away: half of them take as long as where nothing is kept, nearly',
  async (processes) => {
    const kept = await beside(processes);
    const fresh = await beside(processes, { keepalive: 0 });
    expect(kept.half).toBeLessThan(1.25 * fresh.half + 1);
    expect(kept.most).toBeLessThan(fresh.most + 50);
    expect(kept.visitor).toBeLessThan(fresh.visitor + 50);
  },
  30_000,
);

it.each([
  { count: 2, workers: 1, page: 2, think: 5 },
  { count: 4, workers: 2, page: 2, think: 5 },
  { count: 6, workers: 3, page: 2, think: 5 },
  { count: 10, workers: 4, page: 2, think: 5 },
  { count: 10, workers: 8, page: 2, think: 5 },
  { count: 2, workers: 1, page: 20, think: 40 },
  { count: 16, workers: 8, page: 20, think: 40 },
])(
  '$count processes on $workers workers, a client of each asks for $page ms again after $think ms: even shares, and as much as where nothing is kept',
  async ({ count, workers, page, think }) => {
    const answered = async (options: PoolOptions = {}): Promise<number[]> => {
      const load = { pages: [page], clients: 1, think, ms: 10_000 };
      const { gateways } = await play({ seed: 1, ...load, gateways: count, fpm: { workers }, options });
      return gateways.map(({ asked }) => asked.length);
    };
    const sum = (shares: readonly number[]): number => shares.reduce((all, share) => all + share, 0);
    const shares = await answered();
    expect(Math.min(...shares)).toBeGreaterThan(0.7 * (sum(shares) / count));
    expect(sum(shares)).toBeGreaterThan(0.88 * sum(await answered({ keepalive: 0 })));
  },
  30_000,
);
