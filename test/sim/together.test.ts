/** More is asked of several processes than the workers that they share can do, and clients leave after 2 s. */
import { expect, it } from 'vitest';
import { meanPage, percentile } from './load.ts';
import { play } from './scenario.ts';

const WORKERS = 4;
const SEEDS = [1, 2, 3, 4, 5, 6];
/** ms: what all of them have is known from then on. */
const SETTLED = 4_000;
const END = 16_000;

// Where few of a process might wait in the backlog, and any number where that seemed to be no use, four took each other for others who give
// no way: up to 1.8 s, and clients left.
it.each([
  [4, 1.5, [10, 300], 0],
  // In one of 40 runs three who were let in just before the pace fell.
  [4, 3, [10, 300], 3],
  [4, 1.5, [200], 0],
  [4, 3, [200], 0],
  [8, 1.5, [200], 0],
  [8, 3, [40], 0],
])(
  '%i processes at %d times that, pages of %j ms: the workers are used, 99 of 100 answers come within 1.5 s, and no more than %i leave',
  async (gateways, load, pages, leave) => {
    const rate = (load * WORKERS * 1_000) / meanPage({ pages }) / gateways;
    const common = { pages, rate, gateways, giveUp: 2_000, ms: END, fpm: { workers: WORKERS } };
    const played = await Promise.all(SEEDS.map((seed) => play({ ...common, seed })));
    const asked = played.flatMap((one) => one.asked).filter(({ at }) => at > SETTLED);
    const answered = asked.filter(({ error }) => error === '');
    const worked = answered.reduce((sum, { ms }) => sum + ms, 0);
    expect(worked / (SEEDS.length * WORKERS * (END - SETTLED))).toBeGreaterThan(0.95);
    expect(
      percentile(
        answered.map(({ took }) => took),
        0.99,
      ),
    ).toBeLessThan(1_500);
    expect(asked.filter(({ error }) => error === 'gave up').length).toBeLessThanOrEqual(leave);
  },
);
