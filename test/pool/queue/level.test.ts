import { describe, expect, it } from 'vitest';
import { LONGEST_WINDOW } from '../../../src/pool/queue/counts.ts';
import { Level } from '../../../src/pool/queue/level.ts';

/** Two up and one down in each tenth of a second. */
function rising(until: number): Level {
  const level = new Level();
  for (let now = 50; now <= until; now += 100) {
    level.change(2, now);
    level.change(-1, now);
  }
  return level;
}

describe('the highest of late', () => {
  it('is that of the first whole bucket since then', () => {
    // Five buckets have ended by 500: 5, and in the next one it rises to 7.
    expect(rising(2_000).highest(401, 2_000, 5_000, 0)).toBe(7);
    expect(rising(2_000).highest(499, 2_000, 5_000, 100)).toBe(7);
    expect(rising(2_000).highest(500, 2_000, 5_000, 100)).toBe(8);
  });

  it('is that of as many buckets as it is asked for, and of none that has not begun', () => {
    expect(rising(2_000).highest(499, 2_000, 5_000, 101)).toBe(8);
    expect(rising(2_000).highest(499, 2_000, 5_000, 300)).toBe(9);
    expect(rising(2_000).highest(499, 2_000, 5_000, 60_000)).toBe(21);
  });

  it('is looked for in the window', () => {
    expect(rising(5_000).highest(0, 5_050, 1_000, 0)).toBe(43);
  });

  it('is where it stands while no whole bucket is there', () => {
    const level = rising(950);
    expect(level.highest(960, 990, 5_000, 0)).toBe(level.now);
  });

  it('is in a bucket in which it only fell where it stood before', () => {
    const level = rising(950);
    level.change(-8, 1_050);
    expect(level.now).toBe(2);
    expect(level.highest(999, 1_090, 5_000, 0)).toBe(10);
    expect(level.highest(1_099, 1_190, 5_000, 0)).toBe(2);
  });

  it('is where it stands where nothing has changed for as long as is remembered', () => {
    const level = rising(950);
    expect(level.highest(0, 30_000, LONGEST_WINDOW, LONGEST_WINDOW)).toBe(level.now);
  });
});
