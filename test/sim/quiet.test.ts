/** Processes with few requests each, whose idle connections hold the workers, and one more process that keeps nothing. */
import { expect, it } from 'vitest';
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
}

async function beside({ count, rate, workers, page }: Processes, keepalive?: 0): Promise<Seen> {
  const options = keepalive === undefined ? {} : { keepalive };
  const load = { pages: [page], rate, visitorEvery: 50, ms: 20_000 };
  const { asked, visitor } = await play({ seed: 1, ...load, gateways: count, fpm: { workers }, options });
  expect(asked.filter(({ error }) => error !== '')).toEqual([]);
  const visits = (visitor?.asked ?? []).map(({ took }) => took);
  const took = asked.filter((one) => !visitor?.asked.includes(one)).map((one) => one.took);
  return { half: percentile(took, 0.5), most: percentile(took, 0.99), visitor: percentile(visits, 0.99) };
}

it.each([
  { count: 1, rate: 20, workers: 1, page: 2 },
  { count: 4, rate: 6, workers: 1, page: 2 },
  { count: 4, rate: 20, workers: 2, page: 2 },
  { count: 10, rate: 20, workers: 4, page: 2 },
  { count: 16, rate: 20, workers: 4, page: 2 },
  { count: 16, rate: 20, workers: 8, page: 2 },
  { count: 10, rate: 6, workers: 2, page: 20 },
  { count: 10, rate: 20, workers: 8, page: 20 },
])(
  '$count processes, $rate requests a second each, on $workers workers, pages of $page ms: half of them take as long as where nothing is kept, nearly',
  async (processes) => {
    const kept = await beside(processes);
    const fresh = await beside(processes, 0);
    expect(kept.half).toBeLessThan(1.25 * fresh.half + 1);
    expect(kept.most).toBeLessThan(fresh.most + 50);
    expect(kept.visitor).toBeLessThan(fresh.visitor + 50);
  },
  30_000,
);

it.each([
  [4, 2],
  [6, 3],
])(
  '%i processes on %i workers, a client of each asks again after 5 ms: even shares',
  async (count, workers) => {
    const load = { pages: [2], clients: 1, think: 5, ms: 10_000 };
    const { gateways } = await play({ seed: 1, ...load, gateways: count, fpm: { workers } });
    const shares = gateways.map(({ asked }) => asked.length);
    const mean = shares.reduce((sum, share) => sum + share, 0) / count;
    expect(Math.min(...shares)).toBeGreaterThan(0.7 * mean);
  },
  30_000,
);
