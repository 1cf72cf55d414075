import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../fpm/support/index.ts';
import { breaches } from './judge.ts';
import { Ledger, type Outcome } from './ledger.ts';
import { type Row, rows } from './rows.ts';

const answered: Outcome = { kind: 'answered' };
const failed = (executed: 'no' | 'unknown' | null): Outcome => ({ kind: 'failed', reason: 'lost', executed });

/** What the judge says of these requests (of each: its outcome, how often PHP noted it, special or not). */
async function verdict(
  name: string,
  requests: readonly (readonly [Outcome, number, boolean?])[],
  blows = 1,
  millis = 1,
): Promise<string[]> {
  using folder = tempDir();
  const log = join(folder.path, 'log');
  const row: Row | undefined = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  const ledger = new Ledger();
  const lines: string[] = [];
  for (const [outcome, runs, special = false] of requests) {
    const id = ledger.next();
    ledger.record(id, outcome, millis, special);
    for (let i = 0; i < runs; i++) lines.push(`${id}\n`);
  }
  writeFileSync(log, lines.join(''));
  await ledger.readRuns(log);
  return breaches({ row, contender: 'pool', tally: ledger.tally(), blows, retried: 0, seconds: 1 });
}

const calm = 'recycle 5 form unix';

it('a storm in which each request ran once and was answered breaks no promise', async () => {
  expect(await verdict(calm, Array(3_000).fill([answered, 1]))).toEqual([]);
});

it.each<[string, Outcome, number, string]>([
  ['ran twice', answered, 2, '1 ran more than once'],
  ['was answered and never ran', answered, 0, '1 were answered and never ran'],
  ['got the answer of another', { kind: 'wrong' }, 1, '1 got an answer that is not theirs'],
  ['ran although it is said not to have', failed('no'), 1, '1 ran, though they were said not to have'],
  ['failed although it provably had not run', failed('no'), 0, '1 failed, though they had provably not run'],
  ['failed', failed('unknown'), 1, '1 failed'],
])('one request of many that %s is found', async (_, outcome, runs, breach) => {
  const requests = [...Array(2_000).fill([answered, 1]), [outcome, runs], [answered, 1]];
  expect(await verdict(calm, requests)).toContain(breach);
});

it('where workers are killed a request may fail for each, and no more', async () => {
  const requests: [Outcome, number][] = [
    [answered, 1],
    [failed('unknown'), 1],
    [failed('unknown'), 1],
  ];
  expect(await verdict('kill unix', requests, 2)).toEqual([]);
  expect(await verdict('kill unix', requests, 1)).toEqual(['2 failed, of which 1 blows explain 1 at most']);
});

it('a storm without wind proves nothing', async () => {
  expect(await verdict('reload unix', [[answered, 1]], 0)).toHaveLength(1);
});

it('a script that kills its worker must have run once, and have failed as one that may have run', async () => {
  const neighbour = [answered, 1] as const;
  expect(await verdict('suicide unix', [neighbour, [failed('unknown'), 1, true]])).toEqual([]);
  expect(await verdict('suicide unix', [neighbour, [failed('unknown'), 2, true]])).toHaveLength(2);
  expect(await verdict('suicide unix', [neighbour, [answered, 1, true]])).toHaveLength(1);
  expect(await verdict('suicide unix', [neighbour])).toHaveLength(1);
});

it('neighbours of long tails must not wait', async () => {
  const requests = [[answered, 1] as const, [answered, 1, true] as const];
  expect(await verdict('tail unix', requests, 0, 99)).toEqual([]);
  expect(await verdict('tail unix', requests, 0, 2_000)).toEqual(['p99 is 2000 ms, not below 100 ms']);
});
