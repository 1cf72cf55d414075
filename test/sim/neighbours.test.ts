/** Clients that stay, of several processes, and one more process that keeps nothing. */
import { expect, it } from 'vitest';
import { play } from './scenario.ts';

interface Seen {
  /** ms that 99 of 100 requests of the one that keeps nothing took at most. */
  readonly p99: number;
  readonly failed: number;
}

async function beside(gateways: number, workers: number, page: number, keepalive?: 0): Promise<Seen> {
  const options = keepalive === undefined ? {} : { keepalive };
  const [pages, fpm] = [[page], { workers }];
  const load = { pages, clients: 16, visitorEvery: Math.max(50, (5 * page) / workers), ms: 100 * page };
  const { asked, visitor } = await play({ seed: 1, ...load, gateways, fpm, options });
  const took = (visitor?.asked ?? []).map((one) => one.took).sort((a, b) => a - b);
  const failed = asked.filter(({ error }) => error !== '').length;
  return { p99: took[Math.floor(0.99 * took.length)] ?? Number.NaN, failed };
}

// Where each process keeps some of its requests out of the backlog, the one with the most has to wait for longest: 100 to 1000 ms more.
it.each([
  [4, 4, 60],
  [3, 6, 100],
  [10, 8, 60],
  [2, 2, 60],
  // Pages that began together end together: where only one connection goes then, the neighbour waits for a page more.
  [1, 6, 100],
  [1, 8, 55],
  [2, 12, 80],
])(
  'beside %i busy processes on %i workers, pages of %i ms: no later than where nobody keeps anything, and no request fails',
  async (gateways, workers, page) => {
    const kept = await beside(gateways, workers, page);
    const fresh = await beside(gateways, workers, page, 0);
    expect([kept.failed, fresh.failed]).toEqual([0, 0]);
    expect(kept.p99).toBeLessThan(fresh.p99 + 50);
  },
);
