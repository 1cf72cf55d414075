/** Clients who ask again as soon as they have been answered: their queue stands, and does not grow. */
import { describe, expect, it } from 'vitest';
import { play } from './scenario.ts';

async function refused(workers: number, clients: number, page: number, seed: number): Promise<number> {
  const { asked } = await play({
    seed,
    fpm: { workers },
    pages: [page],
    clients,
    options: { connections: workers },
    gateways: 1,
    ms: Math.max(1_500, 15 * page),
  });
  return asked.filter(({ error }) => error !== '').length;
}

const WORKERS = [2, 8, 32];

describe.each([200, 500, 1_000, 5_000])('pages of %i ms', (page) => {
  it.each(WORKERS)(
    'are refused to nobody where two clients share a worker, of which there are %i',
    async (workers) => {
      for (let seed = 1; seed <= 5; seed++) expect(await refused(workers, 2 * workers, page, seed)).toBe(0);
    },
  );
});

it.each(WORKERS)('nor pages of 200 ms where four share one, of %i', async (workers) => {
  for (let seed = 1; seed <= 5; seed++) expect(await refused(workers, 4 * workers, 200, seed)).toBe(0);
});
