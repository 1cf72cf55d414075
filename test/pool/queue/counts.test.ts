import { describe, expect, it } from 'vitest';
import { Counts, LONGEST_WINDOW } from '../../../src/pool/queue/counts.ts';

/** One event in the middle of each tenth of a second. */
function steady(until: number): Counts {
  const counts = new Counts();
  for (let now = 50; now <= until; now += 100) counts.add(now);
  return counts;
}

describe('events since then', () => {
  it('are those in whole buckets behind it, and the time is that of the buckets', () => {
    expect(steady(2_000).since(1_050, 2_000, 5_000)).toEqual({ count: 9, time: 900 });
    expect(steady(2_000).since(1_099, 2_000, 5_000)).toEqual({ count: 9, time: 900 });
    expect(steady(2_000).since(1_100, 2_000, 5_000)).toEqual({ count: 8, time: 800 });
  });

  it('are those of the window, the running bucket included', () => {
    expect(steady(5_000).since(0, 5_050, 1_000)).toEqual({ count: 9, time: 950 });
    expect(steady(5_050).since(0, 5_060, 1_000)).toEqual({ count: 10, time: 960 });
  });

  it('are none where none were for as long as is remembered', () => {
    const counts = steady(1_000);
    expect(counts.since(0, 30_000, LONGEST_WINDOW).count).toBe(0);
    counts.add(30_050);
    expect(counts.since(0, 30_060, LONGEST_WINDOW).count).toBe(1);
  });

  it('are not mistaken for those of ten seconds before', () => {
    const counts = steady(9_950);
    counts.add(10_060);
    expect(counts.since(9_999, 10_070, LONGEST_WINDOW).count).toBe(1);
    counts.add(10_150);
    expect(counts.since(10_099, 10_170, LONGEST_WINDOW).count).toBe(1);
  });

  it('never took no time', () => {
    expect(new Counts().since(5_000, 5_000, 1_000)).toEqual({ count: 0, time: 1 });
  });
});

describe('the latest events', () => {
  it('took the whole buckets in which they were, the running one included', () => {
    expect(steady(5_000).timeOf(10, 4_990)).toBe(1_000);
    // None has come yet in this one.
    expect(steady(5_000).timeOf(10, 5_010)).toBe(1_100);
    const counts = steady(5_000);
    for (let i = 0; i < 10; i++) counts.add(5_010);
    expect([counts.timeOf(10, 5_020), counts.timeOf(11, 5_020)]).toEqual([100, 200]);
  });

  it('took as long as is remembered where there were fewer', () => {
    expect([steady(1_000).timeOf(10, 1_020), steady(1_000).timeOf(11, 1_020)]).toEqual([
      1_100,
      LONGEST_WINDOW,
    ]);
    // None counts twice: the oldest bucket is the one behind the running one.
    expect(steady(1_000).timeOf(11, 960)).toBe(LONGEST_WINDOW);
    expect(steady(1_000).timeOf(1, 30_000)).toBe(LONGEST_WINDOW);
  });
});
