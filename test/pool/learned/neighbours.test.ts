import { expect, it } from 'vitest';
import { Neighbours } from '../../../src/pool/learned/neighbours.ts';

/** ms from `now` on in which others need workers, by its whole seconds. */
function needed(neighbours: Neighbours, now: number): number {
  let end = now;
  while (end < now + 1_000_000 && neighbours.needWorkers({ now: () => end })) end += 1_000;
  return end - now;
}

const at0 = { now: (): number => 0 };

it.each([
  [4.9, 0, false],
  [5, 0, true],
  [5, 0.05, true],
  [9.9, 0.1, false],
  [10, 0.1, true],
  [99, 1, false],
  [100, 1, true],
])(
  'a connection has waited for %d ms, where a connect takes %d ms: others need workers: %s',
  (wait, connect, is) => {
    const neighbours = new Neighbours();
    neighbours.waited(wait, connect, 0);
    expect(neighbours.needWorkers(at0)).toBe(is);
  },
);

it.each([
  ['all as slow', [30, 30, 30, 30, 30, 30, 30, 30], 0, false],
  ['two late ones', [2, 30, 30, 2, 2, 2, 2, 2], 0, false],
  ['three', [2, 30, 2, 30, 2, 2, 2, 30], 0, true],
  ['three, but longer ago', [2, 30, 30, 2, 2, 2, 2, 2, 2, 30], 0, false],
  ['the quickest is the eighth from the end', [2, 6, 6, 6, 6, 7, 7, 7], 0, true],
  ['the quickest is the ninth from the end', [2, 6, 6, 6, 6, 6, 7, 7, 7], 0, false],
  ['the quickest is the last', [30, 30, 30, 2], 0, true],
  ['less than three times as slow', [5, 14.9, 14.9, 14.9], 0, false],
  ['three times', [5, 15, 15, 15], 0, true],
  ['three times, and little beside a connect', [2, 11.9, 11.9, 11.9], 0.1, false],
  ['three times, and much beside a connect', [2, 12, 12, 12], 0.1, true],
  ['less than 5 ms later', [0.1, 5, 5, 5], 0, false],
  ['5 ms later', [0.1, 5.1, 5.1, 5.1], 0, true],
])(
  'new connections that were not asked, %s: %j ms, where a connect takes %d ms: %s',
  (_, times, connect, is) => {
    const neighbours = new Neighbours();
    for (const after of times) neighbours.answered(after, connect, 0);
    expect(neighbours.needWorkers(at0)).toBe(is);
  },
);

it('what was a sign once is none for longer', () => {
  const neighbours = new Neighbours();
  for (const after of [2, 30, 30, 30]) neighbours.answered(after, 0, 0);
  for (const after of [2, 2]) neighbours.answered(after, 0, 5_000);
  expect(needed(neighbours, 0)).toBe(10_000);
});

it('nobody needs workers before one of ours has waited, and no time is read for that', () => {
  const clock = {
    now: (): number => {
      throw new Error('read');
    },
  };
  expect(new Neighbours().needWorkers(clock)).toBe(false);
});

it('they do for ten seconds from the last that has waited', () => {
  const neighbours = new Neighbours();
  neighbours.waited(50, 0, 0);
  expect(needed(neighbours, 0)).toBe(10_000);
  neighbours.waited(50, 0, 9_000);
  expect(needed(neighbours, 9_000)).toBe(10_000);
  neighbours.waited(1, 0, 15_000);
  expect(needed(neighbours, 15_000)).toBe(4_000);
});

it('each time that it comes to that again as soon as they did not, twice as long, up to 80 seconds', () => {
  const neighbours = new Neighbours();
  let now = 0;
  const times = Array.from({ length: 6 }, () => {
    neighbours.waited(50, 0, now);
    const time = needed(neighbours, now);
    now += 2 * time - 1_000;
    return time;
  });
  expect(times).toEqual([10_000, 20_000, 40_000, 80_000, 80_000, 80_000]);
});

it('after a longer time without, ten seconds again', () => {
  const neighbours = new Neighbours();
  neighbours.waited(50, 0, 0);
  neighbours.waited(50, 0, 10_000);
  expect(needed(neighbours, 10_000)).toBe(20_000);
  neighbours.waited(50, 0, 50_000);
  expect(needed(neighbours, 50_000)).toBe(10_000);
});
