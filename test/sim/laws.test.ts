/** The pool's own code in virtual time, over configurations that nobody chose. By hand: SIM_SEEDS=5000 SIM_FROM=1 SIM_KIND=calm. */
import { expect, it } from 'vitest';
import { type Drawn, draw } from './draw.ts';
import { broken, isCompared } from './laws.ts';
import { play } from './scenario.ts';

const from = Number(process.env['SIM_FROM'] ?? 1);
const count = Number(process.env['SIM_SEEDS'] ?? 150);
const kind = process.env['SIM_KIND'];

async function offencesOf(drawn: Drawn): Promise<string[]> {
  const fresh = isCompared(drawn)
    ? await play({ ...drawn, options: { ...drawn.options, keepalive: 0 } })
    : null;
  return broken(drawn, await play(drawn), fresh);
}

it('the laws hold for every seed', { timeout: 600_000 + count * 1_000 }, async () => {
  const found: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const drawn = draw(seed);
    if (kind !== undefined && drawn.kind !== kind) continue;
    const offences = await offencesOf(drawn);
    if (offences.length > 0)
      found.push(`SIM_FROM=${seed} SIM_SEEDS=1: ${JSON.stringify(drawn)}\n  ${offences.join('\n  ')}`);
  }
  expect(found.join('\n')).toBe('');
});

it.each([
  // A hundred clients who are refused, and ask again: what PHP has answered waits for our own event loop, up to 300 ms.
  170_564,
  191_221, 208_253,
  // Eight or nine long pages of ten that come one behind the other: some wait for 30 s, although nothing stands still.
  170_796,
  206_886,
  // It lasts 12 ms, and whether there is a fourth worker is tried after 25.
  204_366,
  // 52 pages end at once, and each callback takes 2 ms: more than a second until all of the next ones run.
  210_353,
  // One connection, and five times as many who ask as can be answered: each of them takes a turn of our event loop, and it a twentieth of a page.
  212_631,
])('no law asks for what no pool could do (seed %i)', { timeout: 60_000 }, async (seed) => {
  expect(await offencesOf(draw(seed))).toEqual([]);
});

// The record that ends a request's input was written while what had come since this turn of the event loop began was not read yet: the
// worker had answered and was gone, and the failed write lost its answer.
it('an answer that comes while our own event loop is busy is read before anything is written behind it', async () => {
  expect(await offencesOf(draw(241_289))).toEqual([]);
});
