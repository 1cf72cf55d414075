/** A little more is asked than the workers can do, evenly: where few are answered a second, that is told late from chance. */
import { expect, it } from 'vitest';
import { percentile } from './load.ts';
import { play } from './scenario.ts';

const SEEDS = [1, 2, 3];
const END = 14_000;
/** ms: the queue has grown until it is known to. */
const KNOWN = 6_000;

it.each([
  [2, 100, 1.2],
  [2, 100, 1.3],
  [4, 200, 1.25],
  [1, 40, 1.2],
])(
  '%i workers, pages of %i ms, at %d of what they can do: 99 of 100 answers come within a second',
  async (workers, page, load) => {
    const burst = { every: page / workers / load, size: 1 };
    const common = { fpm: { workers }, pages: [page], gateways: 1, burst, giveUp: 2_000, ms: END };
    const played = await Promise.all(SEEDS.map((seed) => play({ ...common, seed })));
    const asked = played.flatMap((one) => one.asked).filter(({ at }) => at > KNOWN);
    const answered = asked.filter(({ error }) => error === '');
    expect(
      percentile(
        answered.map(({ took }) => took),
        0.99,
      ),
    ).toBeLessThan(1_000);
    // No more are refused than must be.
    expect(answered.length / asked.length).toBeGreaterThan(0.95 / load);
  },
);
