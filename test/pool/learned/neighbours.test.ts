import { expect, it } from 'vitest';
import { isLong, Neighbours } from '../../../src/pool/learned/neighbours.ts';

/** ms from `now` on in which others need workers, by its whole seconds. */
function needed(neighbours: Neighbours, now: number): number {
  let end = now;
  while (end < now + 1_000_000 && neighbours.needWorkers({ now: () => end })) end += 1_000;
  return end - now;
}

it.each([
  [1.9, 0, false],
  [2, 0, true],
  [2, 0.1, true],
  [9.9, 0.5, false],
  [10, 0.5, true],
  [19, 1, false],
  [20, 1, true],
])(
  'after %d ms, where a connect takes %d ms: a connection has waited for others: %s',
  (wait, connect, is) => {
    expect(isLong(wait, connect)).toBe(is);
    const neighbours = new Neighbours();
    neighbours.waited(wait, connect, 0);
    expect(neighbours.needWorkers({ now: () => 0 })).toBe(is);
  },
);

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
