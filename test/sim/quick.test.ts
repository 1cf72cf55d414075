/** Several processes with quick pages, each of which has something to do all the time: their kept connections hold the workers for one another. */
import { expect, it } from 'vitest';
import type { PoolOptions } from '../../src/pool/options.ts';
import { meanPage, percentile } from './load.ts';
import { play } from './scenario.ts';

interface Seen {
  /** ms that half, and 9 and 99 of a hundred, of all requests took at most. */
  readonly took: readonly number[];
  readonly refused: number;
  /** Connections that were opened for each request. */
  readonly connects: number;
}

interface Processes {
  readonly count: number;
  readonly workers: number;
  /** Of what the workers can do. */
  readonly load: number;
}

const SEEDS = [1, 2];

async function seen(
  { count, workers, load }: Processes,
  pages: readonly number[],
  options: PoolOptions = {},
): Promise<Seen> {
  const rate = (1_000 * load * workers) / meanPage({ pages }) / count;
  const common = { pages, gateways: count, fpm: { workers }, rate, ms: 2_000, options };
  const played = await Promise.all(SEEDS.map((seed) => play({ ...common, seed })));
  const asked = played.flatMap((one) => one.asked);
  const took = asked.filter(({ error }) => error === '').map((one) => one.took);
  const closed = played.flatMap(({ gateways }) => gateways.map(({ stats }) => stats.closed));
  const connects = closed.flatMap((reasons) => Object.values(reasons)).reduce((sum, count) => sum + count, 0);
  return {
    took: [0.5, 0.9, 0.99].map((share) => percentile(took, share)),
    refused: asked.length - took.length,
    connects: connects / asked.length,
  };
}

it.each([
  { count: 2, workers: 4, page: 1.5, load: 0.3 },
  { count: 2, workers: 4, page: 1.5, load: 0.6 },
  { count: 2, workers: 4, page: 1.5, load: 0.7 },
  { count: 4, workers: 8, page: 1.5, load: 0.75 },
  { count: 7, workers: 26, page: 1.5, load: 0.5 },
  { count: 4, workers: 16, page: 5, load: 0.75 },
  { count: 3, workers: 6, page: 5, load: 0.8 },
])(
  '$count processes on $workers workers, pages of $page ms, $load of what they can do: few wait longer than where nothing is kept, and none is refused',
  async (processes) => {
    const kept = await seen(processes, [processes.page]);
    const fresh = await seen(processes, [processes.page], { keepalive: 0 });
    const later = kept.took.map((ms, nth) => ms - (fresh.took[nth] ?? 0));
    expect(later[0]).toBeLessThan(5);
    expect(later[1]).toBeLessThan(10);
    expect(later[2]).toBeLessThan(25);
    expect(kept.refused).toBe(0);
  },
  60_000,
);

it.each([
  ['quick ones', [1.5], 0.13],
  ['one slow one of five', [1, 1, 1, 1, 20], 0.13],
  ['one slow one of twenty', [...Array.from({ length: 19 }, () => 1), 20], 0.08],
])(
  'one process keeps its connections, whatever its pages are: %s',
  async (_, pages, most) => {
    const { connects } = await seen({ count: 1, workers: 8, load: 0.6 }, pages);
    expect(connects).toBeLessThan(most);
  },
  60_000,
);
