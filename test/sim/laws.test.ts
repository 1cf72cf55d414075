/** The pool's own code in virtual time, over configurations that nobody chose. By hand: SIM_SEEDS=5000 SIM_FROM=1 SIM_KIND=calm. */
import { expect, it } from 'vitest';
import { draw } from './draw.ts';
import { broken, isCompared } from './laws.ts';
import { play } from './scenario.ts';

const from = Number(process.env['SIM_FROM'] ?? 1);
const count = Number(process.env['SIM_SEEDS'] ?? 150);
const kind = process.env['SIM_KIND'];

it('the laws hold for every seed', { timeout: 600_000 + count * 1_000 }, async () => {
  const found: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const drawn = draw(seed);
    if (kind !== undefined && drawn.kind !== kind) continue;
    const fresh = isCompared(drawn)
      ? await play({ ...drawn, options: { ...drawn.options, keepalive: 0 } })
      : null;
    const offences = broken(drawn, await play(drawn), fresh);
    if (offences.length > 0)
      found.push(`SIM_FROM=${seed} SIM_SEEDS=1: ${JSON.stringify(drawn)}\n  ${offences.join('\n  ')}`);
  }
  expect(found.join('\n')).toBe('');
});
