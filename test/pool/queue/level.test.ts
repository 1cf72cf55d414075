import { describe, expect, it } from 'vitest';
import { LONGEST_WINDOW } from '../../../src/pool/queue/counts.ts';
import { Level } from '../../../src/pool/queue/level.ts';

/** Two up and one down in the middle of each 20 ms. */
function rising(until: number): Level {
  const level = new Level();
  for (let now = 10; now <= until; now += 20) {
    level.change(2, now);
    level.change(-1, now);
  }
  return level;
}

describe('the highest of late', () => {
  it('is that of the 20 ms in which the time lies that is asked for', () => {
    // Five times it has risen by one before 100, and then it rises to 7.
    expect(rising(400).highest(101, 101, 400)).toBe(7);
    expect(rising(400).highest(119, 119, 400)).toBe(7);
    expect(rising(400).highest(120, 120, 400)).toBe(8);
  });

  it('is that of all whole ones since another time', () => {
    const level = rising(390);
    for (let now = 410; now <= 800; now += 20) level.change(-1, now);
    expect(level.value).toBe(0);
    // It stood at 21 between 380 and 400, and began there at 20 behind it.
    expect(level.highest(379, 700, 800)).toBe(21);
    expect(level.highest(380, 700, 800)).toBe(20);
    expect(level.highest(419, 700, 800)).toBe(19);
  });

  it('is, where it only fell, where it stood before', () => {
    const level = rising(90);
    level.change(-4, 110);
    expect(level.value).toBe(1);
    expect(level.highest(105, 105, 119)).toBe(5);
    expect(level.highest(125, 125, 139)).toBe(1);
  });

  it('is where it stands where nothing has changed for as long as is remembered', () => {
    const level = rising(90);
    expect(level.highest(60_000 - LONGEST_WINDOW, 60_000, 60_000)).toBe(5);
    level.change(1, 60_005);
    expect(level.highest(60_010, 60_010, 60_015)).toBe(6);
  });

  it('is not taken for that of twenty seconds later, where nothing has changed since', () => {
    const level = rising(90);
    level.change(10, 100);
    level.change(-10, 100);
    // The oldest 20 ms that are remembered, which have the place of those with the highest.
    expect(level.highest(20_081, 20_101, 40_080)).toBe(5);
  });

  it('is remembered for twice the longest window', () => {
    const level = rising(90);
    level.change(10, 100);
    level.change(-10, 100);
    expect(level.highest(99, 1_000, 100 + 2 * LONGEST_WINDOW - 20)).toBe(15);
  });
});
