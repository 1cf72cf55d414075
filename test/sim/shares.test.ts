/** Gateways that never pause share the workers: none gets much less than the others, and one more client, who keeps nothing, waits no longer for them. */
import { expect, it } from 'vitest';
import { percentile } from './load.ts';
import { play } from './scenario.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];
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

// Where whoever has seen fewer workers gives them up sooner, for its own that wait, and opens no more: 0.53 to 0.80, for as long as the load lasts.
it.each([
  [2, 8, 5, 16],
  [2, 8, 8, 12],
  [2, 6, 2, 16],
  [3, 12, 12, 16],
  [4, 6, 2, 8],
])('%i gateways, %i workers, pages of %i ms, %i clients of each', async (...row) => {
  const kept = await Promise.all(SEEDS.map((seed) => shared(row, seed)));
  const fresh = await shared(row, 1, { keepalive: 0 });
  const sum = kept.reduce((all, { least }) => all + least, 0);
  expect(sum / SEEDS.length).toBeGreaterThan(0.85);
  for (const { least, visitor, answered } of kept) {
    expect(least).toBeGreaterThan(0.7);
    expect(visitor).toBeLessThan(fresh.visitor + 50);
    expect(answered).toBeGreaterThan(0.98 * fresh.answered);
  }
});
