import { describe, expect, it } from 'vitest';
import { OURS } from '../bench/storm/contenders.ts';
import { breaches } from '../bench/storm/judge.ts';
import { rows } from '../bench/storm/rows.ts';
import { runRow } from '../bench/storm/run.ts';

// A breath of what `npm run storm` does for minutes; each row says what it promises.
const chosen =
  /^(recycle 1 form|recycle 5 (form|put|upload)|crowd|reload|restart SIGQUIT|kill|suicide|proxied) (unix|tcp)$/;
const elsewhere = /^(undeclared proxy|network slows down|full disk|other server)/;
const short = rows.filter(({ name }) => chosen.test(name) || elsewhere.test(name));

it('every storm of this list is one of the rows', () => {
  expect(short).toHaveLength(2 * 10 + 7);
});

describe.each(short)('storm: $name', (row) => {
  // The one and the other in turn: a row that the pool has on unix the gateway has on tcp.
  const turn = short.indexOf(row) + (row.fpm.transport === 'tcp' ? 1 : 0);
  const ours = OURS[turn % OURS.length] ?? 'pool';
  it(`no request runs twice, and none that never ran is failed (${ours})`, async () => {
    const result = await runRow(row, ours, { requests: 50_000, seconds: 0.5 });
    expect(breaches(result), JSON.stringify([...result.tally.reasons])).toEqual([]);
  });
});
