/** Why `least-conn` is the default, in virtual time. The table and the plot of docs/balance.md: UPDATE_BALANCE=1. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Balance } from '../../src/upstream/balance/balance.ts';
import { BALANCES, SITUATIONS, type Situation, type Tail, tailOf } from './balance.ts';
import { plot } from './plot.ts';

const doc = new URL('../../docs/balance.md', import.meta.url);
const picture = new URL('../../docs/balance.svg', import.meta.url);
const SLOW = 'one ten times as slow';

function row(name: string, tails: readonly Tail[]): string {
  const cells = tails.map(
    ({ p50, p99, inTime }) => `${p50.toFixed(0)} / ${p99.toFixed(0)} / ${(100 * inTime).toFixed(1)} %`,
  );
  return `| ${[name, ...cells].join(' | ')} |`;
}

const write = async (): Promise<void> => {
  const rows: string[] = [];
  for (const [name, situation] of Object.entries(SITUATIONS)) {
    const tails: [Balance, Tail][] = [];
    for (const balance of BALANCES) tails.push([balance, await tailOf(balance, situation)]);
    rows.push(
      row(
        name,
        tails.map(([, tail]) => tail),
      ),
    );
    const lines = tails.map(([balance, { times }]) => [balance, times] as const);
    if (name === SLOW) writeFileSync(picture, plot('Ten hosts, one of them ten times as slow', lines));
  }
  const head = `| of ten hosts | ${BALANCES.join(' | ')} |\n|---|${'---|'.repeat(BALANCES.length)}`;
  const text = readFileSync(doc, 'utf8');
  writeFileSync(doc, text.replace(/\| of ten hosts[\s\S]*?\n\n/, `${head}\n${rows.join('\n')}\n\n`));
};
// Not a test that is skipped: it is none.
if (process.env['UPDATE_BALANCE']) it('writes the table and the plot', { timeout: 600_000 }, write);

it('one host of ten is slow: least-conn answers 99.5 % within a second, and its slowest hundredth in half the time of round-robin', {
  timeout: 120_000,
}, async () => {
  const situation: Situation | undefined = SITUATIONS[SLOW];
  if (situation === undefined) throw new Error('no such situation');
  const [least, turns] = [await tailOf('least-conn', situation), await tailOf('round-robin', situation)];
  expect(least.inTime).toBeGreaterThanOrEqual(0.995);
  expect(turns.p99).toBeGreaterThan(2 * least.p99);
  expect([least.failed, turns.failed]).toEqual([0, 0]);
  // The table says what comes out.
  const text = readFileSync(doc, 'utf8');
  const cells = text.split('\n').find((line) => line.startsWith(`| ${SLOW} |`));
  expect(cells).toContain(row(SLOW, [least, turns]).replace(/ \|$/, ''));
});
