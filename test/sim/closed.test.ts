/** Clients who ask again as soon as they have been answered: their queue stands, and does not grow. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import type { Scenario } from './scenario.ts';
import { play } from './scenario.ts';
import { randomFrom, VirtualTime } from './time.ts';

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

const shared = (scenario: Pick<Scenario, 'seed' | 'fpm' | 'pages'>): Scenario => ({
  ...scenario,
  clients: 4 * scenario.fpm.workers,
  options: { connections: scenario.fpm.workers },
  gateways: 1,
  ms: 8_000,
});
const SEEDS = [1, 2, 3, 4, 5];

// For as long as slow pages hold all workers at once, hardly anything is answered.
it('quick pages of which a tenth take 2 s are refused to hardly anybody where four clients share a worker', async () => {
  const pages = [...Array<number>(9).fill(20), 2_000];
  const played = await Promise.all(SEEDS.map((seed) => play(shared({ seed, fpm: { workers: 16 }, pages }))));
  const asked = played.flatMap((one) => one.asked);
  const refused = asked.filter(({ error }) => error !== '');
  expect(refused.length / asked.length).toBeLessThan(0.01);
});

it.each([300, 1_000, 3_000])(
  'a database that is away for %i ms once makes no overload of clients who ask again once they are answered',
  async (ms) => {
    const fpm = { workers: 16, standstill: { from: 2_000, ms } };
    for (const seed of SEEDS) {
      const { asked } = await play(shared({ seed, fpm, pages: [50, 150, 250] }));
      expect(asked.filter(({ error }) => error !== '')).toEqual([]);
    }
  },
);

it('clients who were refused in a burst of others, and ask again, are all let in soon: their queue would stand', async () => {
  for (const seed of SEEDS) {
    const scenario = shared({ seed, fpm: { workers: 16 }, pages: [50, 150, 250] });
    const { asked } = await play({ ...scenario, burst: { every: 20_000, size: 200 }, ms: 39_000 });
    const refused = asked.filter(({ error }) => error !== '');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(({ at }) => at > 34_000)).toEqual([]);
  }
});

// As visitors do who click again while a page is slow: php-fpm was restarted, say, and its opcache is empty.
it.each([12, 16])(
  'of %i clients on 4 workers nobody is refused as some leave the queue within 150 ms and ask anew, be pages slow for a while',
  async (clients) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const gateway = new SimGateway('g', time, new SimFpm(time, { workers: 4 }), 0, randomFrom(1), {});
    const random = randomFrom(101);
    const asked: Asked[] = [];
    const ask = (): void => {
      if (time.now > 30_000) return;
      const ms = (40 + 100 * random()) * (time.now > 20_000 && time.now < 23_000 ? 3 : 1);
      const leaves = random() < 1 / 9 ? { giveUp: 5 + 150 * random() } : {};
      asked.push(gateway.ask({ ms, ...leaves }, () => gateway.at(time.now + 1, ask)));
    };
    for (let i = 0; i < clients; i++) gateway.at(1, ask);
    await time.run(50_000);
    expect(asked.filter(({ giveUp }) => giveUp !== undefined).length).toBeGreaterThan(100);
    expect(asked.filter(({ error }) => error !== '' && error !== 'gave up')).toEqual([]);
  },
);
