/** PHP stands still for a moment, and goes on: what came meanwhile waits, and the queue gets shorter from then on. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './asked.ts';
import { percentile } from './load.ts';
import { play } from './scenario.ts';

const FROM = 3_000;
const PAGE = 10;
const SEEDS = [1, 2, 3];

interface Paused {
  readonly asked: readonly Asked[];
  /** Those that came once PHP went on, and were refused. */
  readonly refused: readonly Asked[];
}

/** `load`: of what the workers can do. */
async function paused(workers: number, ms: number, load: number): Promise<Paused> {
  const fpm = { workers, standstill: { from: FROM, ms } };
  const common = { fpm, pages: [PAGE], gateways: 1, options: { connections: workers }, ms: 10_000 };
  const rate = (load * workers * 1_000) / PAGE;
  const played = await Promise.all(SEEDS.map((seed) => play({ ...common, seed, rate })));
  const asked = played.flatMap((one) => one.asked).filter(({ at }) => at > FROM + ms);
  return { asked, refused: asked.filter(({ error }) => error === 'FCGI_ERR_QUEUE_OVERLOAD') };
}

/** Where it is not known that the queue gets shorter, more are. */
describe.each([4, 8])('on %i workers that stood still', (workers) => {
  it.each([
    [1_000, 0.5, 200],
    [2_000, 0.7, 400],
    [1_000, 0.8, 550],
  ])(
    'for %i ms at %d of what they can do, no more are refused than come in the next %i ms',
    async (ms, load, soon) => {
      const { asked, refused } = await paused(workers, ms, load);
      expect(refused.length).toBeLessThan(SEEDS.length * load * workers * (soon / PAGE));
      const answered = asked.filter(({ error }) => error === '').map(({ took }) => took);
      expect(percentile(answered, 0.99)).toBeLessThan(1_500);
    },
  );
});
