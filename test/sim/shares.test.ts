/** Gateways that never pause share the workers: none gets much less than the others, and one more client, who keeps nothing, waits no longer for them. */
import { expect, it } from 'vitest';
import { percentile } from './load.ts';
import { play } from './scenario.ts';

const SEEDS = [1, 2, 3];
/** ms */
const END = 3_000;

interface Shared {
  /** The smallest share, of the mean. */
  readonly least: number;
  /** ms that 99 of 100 requests of one more client take at the most. */
  readonly visitor: number;
  readonly answered: number;
}

async function shared(
  [gateways, workers, page, clients]: readonly number[],
  seed: number,
  options: { keepalive?: number } = {},
): Promise<Shared> {
  const fpm = { workers: workers ?? 0 };
  const common = { pages: [page ?? 0], clients: clients ?? 0, visitorEvery: 50, connecting: 0.05, ms: END };
  const played = await play({ ...common, seed, fpm, gateways: gateways ?? 0, options });
  const answers = played.gateways.map(({ asked }) => asked.filter(({ error }) => error === '').length);
  const answered = answers.reduce((sum, one) => sum + one, 0);
  const visits = played.visitor?.asked.map(({ took }) => took) ?? [];
  return {
    least: (Math.min(...answers) * answers.length) / answered,
    visitor: percentile(visits, 0.99),
    answered,
  };
}

// Where whoever has seen fewer workers gave them up for its own that wait, and opened no more: 0.33 to 0.79, for as long as the load lasted.
it.each([
  [2, 8, 5, 16],
  [2, 8, 2, 24],
  [2, 8, 8, 12],
  [2, 6, 2, 16],
  [2, 4, 8, 24],
  [3, 8, 3, 24],
  [3, 8, 8, 24],
  [3, 12, 12, 16],
  [4, 6, 2, 8],
])('%i gateways, %i workers, pages of %i ms, %i clients of each', async (...row) => {
  const kept = await Promise.all(SEEDS.map((seed) => shared(row, seed)));
  const fresh = await Promise.all(SEEDS.map((seed) => shared(row, seed, { keepalive: 0 })));
  for (const [i, { least, visitor, answered }] of kept.entries()) {
    expect(least).toBeGreaterThan(0.8);
    expect(visitor).toBeLessThan((fresh[i]?.visitor ?? 0) + 50);
    expect(answered).toBeGreaterThan(0.98 * (fresh[i]?.answered ?? 0));
  }
});
