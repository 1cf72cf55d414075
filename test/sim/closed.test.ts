/** Clients who ask again as soon as they have been answered: their queue stands, and does not grow. */
import { describe, expect, it } from 'vitest';
import type { Scenario } from './scenario.ts';
import { play } from './scenario.ts';

/** `clients` for each worker. */
async function refused(workers: number, clients: number, page: number, think: number): Promise<number> {
  let count = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const scenario: Scenario = {
      seed,
      fpm: { workers },
      pages: [page],
      clients: clients * workers,
      think,
      options: { connections: workers },
      gateways: 1,
      ms: Math.max(3_000, 15 * page),
    };
    const { asked } = await play(scenario);
    count += asked.filter(({ error }) => error !== '').length;
  }
  return count;
}

const WORKERS = [2, 8, 32];

describe.each([200, 500, 1_000, 5_000])('pages of %i ms', (page) => {
  it.each(WORKERS)(
    'are refused to nobody where two clients share a worker, of which there are %i',
    async (workers) => {
      expect(await refused(workers, 2, page, 0.02)).toBe(0);
    },
  );
});

// Workers that began together answer together, and their clients ask a moment later, all of them.
describe.each([2, 40])('pages of 200 ms that are asked for again %i ms later', (think) => {
  it.each(WORKERS)(
    'are refused to nobody where four clients share a worker, of which there are %i',
    async (workers) => {
      expect(await refused(workers, 4, 200, think)).toBe(0);
    },
  );
});
