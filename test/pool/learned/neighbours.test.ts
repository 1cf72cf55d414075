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
  [0.9, 0, false],
  [1, 0, true],
  [1, 0.3, true],
  [1.4, 0.5, false],
  [1.5, 0.5, true],
  [59, 20, false],
  [60, 20, true],
])(
  'a connection has waited for %d ms, where a connect takes %d ms: others need workers: %s',
  (wait, connect, is) => {
    const neighbours = new Neighbours();
    neighbours.waited(wait, connect, 0);
    expect(neighbours.needWorkers(at0)).toBe(is);
  },
);

/** Where a worker is there, it is not known how long they take. */
const unknown = Number.POSITIVE_INFINITY;

it.each([
  ['all as slow', [30, 30, 30, 30, 30, 30, 30, 30], unknown, 0, false],
  ['all as slow, as is usual', [30, 30, 30, 30], 25, 0, false],
  ['all as slow, and later than is usual', [30, 30, 30], 20, 0, true],
  ['two late ones', [2, 30, 30, 2, 2, 2, 2, 2], unknown, 0, false],
  ['two late ones, and two that are no quicker than is usual', [2, 30, 30, 2, 2, 2, 2, 2], 2, 0, false],
  ['three', [2, 30, 2, 30, 2, 2, 2, 30], unknown, 0, true],
  ['three, quicker than is usual, as a slow script is', [2, 30, 2, 30, 2, 2, 2, 30], 100, 0, true],
  ['three, but longer ago', [2, 30, 30, 2, 2, 2, 2, 2, 2, 30], unknown, 0, false],
  ['the quickest is the eighth from the end', [2, 4, 4, 4, 4, 5, 5, 5], unknown, 0.15, true],
  ['the quickest is the ninth from the end', [2, 4, 4, 4, 4, 4, 5, 5, 5], unknown, 0.15, false],
  ['the quickest is the last', [30, 30, 30, 2], unknown, 0, true],
  ['less than half as long again', [10, 14.9, 14.9, 14.9], unknown, 0, false],
  ['half as long again', [10, 15, 15, 15], unknown, 0, true],
  ['twice as long, and little beside a connect', [12, 23.9, 23.9, 23.9], unknown, 0.6, false],
  ['twice as long, and much beside a connect', [12, 24, 24, 24], unknown, 0.6, true],
  ['less than a millisecond later', [0.1, 1, 1, 1], unknown, 0, false],
  ['a millisecond later', [0.1, 1.1, 1.1, 1.1], unknown, 0, true],
])(
  'new connections that were not asked, %s: %j ms, where %d are usual and a connect takes %d: %s',
  (_, times, usual, connect, is) => {
    const neighbours = new Neighbours();
    for (const after of times) neighbours.answered(after, usual, connect, 0);
    expect(neighbours.needWorkers(at0)).toBe(is);
  },
);

/** Behind the first of the new ones so many were answered where a worker was there, then three more new ones. */
function amongKept(kept: readonly number[], times: readonly number[]): boolean {
  const neighbours = new Neighbours();
  const [first = 0, ...rest] = times;
  neighbours.answered(first, unknown, 0, 0);
  for (const after of kept) neighbours.keptAnswered(after, at0);
  for (const after of rest) neighbours.answered(after, 2, 0, 0);
  return neighbours.needWorkers(at0);
}

const many = (count: number, after: number): number[] => Array.from({ length: count }, () => after);

it.each([
  ['as late as slow pages are there', [...many(8, 2), 6, 6], [2, 6, 6, 6], false],
  ['later than those', [...many(8, 2), 6, 6], [2, 9, 9, 9], true],
  ['later than all but one, which may be an accident', [...many(8, 2), 60], [2, 6, 6, 6], true],
  ['fewer were answered there than are looked at of the new ones', [...many(5, 2), 6, 6], [2, 6, 6, 6], true],
  ['as many were', [...many(6, 2), 6, 6], [2, 6, 6, 6], false],
  ['what is slow there came among the latest 64', [6, 6, ...many(62, 2)], [2, 6, 6, 6], false],
  ['one of them came before', [6, 6, ...many(63, 2)], [2, 6, 6, 6], true],
])(
  'where many are kept, new ones are late if they come later than nearly all where a worker is there: %s',
  (_, kept, times, is) => {
    expect(amongKept(kept, times)).toBe(is);
  },
);

it('what is kept counts from the oldest of the new ones on that are looked at', () => {
  const neighbours = new Neighbours();
  for (const after of [6, 6, ...many(6, 2)]) neighbours.keptAnswered(after, at0);
  for (const after of [2, 6, 6, 6]) neighbours.answered(after, unknown, 0, 0);
  expect(neighbours.needWorkers(at0)).toBe(true);
});

it('and from the next one on after a sign', () => {
  const neighbours = new Neighbours();
  for (const after of [2, 6, 6, 6]) neighbours.answered(after, unknown, 0, 0);
  for (const after of [6, 6, ...many(6, 2)]) neighbours.keptAnswered(after, at0);
  for (const after of [2, 6, 6, 6]) neighbours.answered(after, unknown, 0, 9_000);
  expect(needed(neighbours, 9_000)).toBe(10_000);
});

it('what was a sign once is none for longer', () => {
  const neighbours = new Neighbours();
  for (const after of [2, 30, 30, 30]) neighbours.answered(after, unknown, 0, 0);
  for (const after of [2, 2]) neighbours.answered(after, unknown, 0, 5_000);
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
  neighbours.waited(0.5, 0, 15_000);
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

/** So many answers, one each `interval` ms from 0 on, all as quick; every `newEvery`th on a new connection. Returns when the latest was. */
function answers(neighbours: Neighbours, count: number, interval: number, newEvery: number): number {
  let now = 0;
  for (let nth = 1; nth <= count; nth++) {
    now = nth * interval;
    if (nth % newEvery === 0) neighbours.answered(1, unknown, 0, now);
    else neighbours.keptAnswered(1, { now: () => now });
  }
  return now;
}

const late = (neighbours: Neighbours, now: number): void => {
  for (const after of [1, 30, 30, 30]) neighbours.answered(after, unknown, 0, now);
};

it.each([
  ['an answer each millisecond', 1, 1000, false],
  ['most of them on new connections', 1, 2, false],
  ['all of them on new connections', 1, 1, false],
  ['one each 1.99 ms', 1.99, 1000, false],
  ['one each 4 ms', 4, 1000, true],
])('a busy process believes in no neighbours where it had to wait: %s', (_, interval, newEvery, is) => {
  const neighbours = new Neighbours();
  const now = answers(neighbours, 128, interval, newEvery);
  late(neighbours, now);
  expect(neighbours.needWorkers({ now: () => now })).toBe(is);
});

it('a process is busy only once 128 answers have shown it, and no longer than 256 ms after those', () => {
  const early = new Neighbours();
  const now = answers(early, 127 - 4, 1, 1000);
  late(early, now);
  expect(early.needWorkers({ now: () => now })).toBe(true);
  const after = new Neighbours();
  const last = answers(after, 128, 1, 1000);
  // The first 64 of them were there at 64 ms.
  expect([319, 320].map((at) => after.needWorkers({ now: () => Math.max(at, last) }))).toEqual([
    false,
    false,
  ]);
  late(after, 319);
  expect(after.needWorkers({ now: () => 319 })).toBe(false);
  late(after, 320);
  expect(after.needWorkers({ now: () => 320 })).toBe(true);
});

it('what a process had found while it had little to do counts again once it has little to do', () => {
  const neighbours = new Neighbours();
  late(neighbours, 0);
  expect(neighbours.needWorkers(at0)).toBe(true);
  const last = answers(neighbours, 256, 1, 1000);
  expect([last, last + 400, 10_000].map((at) => neighbours.needWorkers({ now: () => at }))).toEqual([
    false,
    true,
    false,
  ]);
});

it.each([
  ['later than a connect by a millisecond, where nothing is kept', [], 1, 0, true],
  ['less late', [], 0.99, 0, false],
  [
    'later than the slowest but one of those that are kept, and half as long again',
    [20, 20, 300],
    30,
    0,
    true,
  ],
  ['as late as a slow page is', [20, 20, 300], 29.9, 0, false],
  ['by less than twenty connects', [20, 20], 59.9, 2, false],
  ['by twenty connects', [20, 20], 60, 2, true],
])(
  'in a busy process, too, a new connection shows that another one has its worker if it is overtaken, and %s',
  (_, kept, after, connect, is) => {
    const neighbours = new Neighbours();
    const now = answers(neighbours, 128, 1, 1000);
    for (const one of [...many(64, 0), ...kept]) neighbours.keptAnswered(one, { now: () => now });
    neighbours.overtaken(after, connect, now);
    expect(neighbours.needWorkers({ now: () => now })).toBe(is);
  },
);

it('that is known for three seconds from the latest, and for what was guessed as long as that', () => {
  const neighbours = new Neighbours();
  neighbours.workerWasTaken(0);
  expect(needed(neighbours, 0)).toBe(3_000);
  neighbours.workerWasTaken(2_000);
  expect(needed(neighbours, 2_000)).toBe(3_000);
  neighbours.waited(50, 0, 2_000);
  expect(needed(neighbours, 2_000)).toBe(10_000);
});
