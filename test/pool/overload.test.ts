import { describe, expect, it } from 'vitest';
import { Overload } from '../../src/pool/overload.ts';

/** A queue that begins at 1000 and from then on is served every `every` ms, until `until`. */
function standing(every: number, until: number): Overload {
  const overload = new Overload();
  overload.empty(1_000);
  for (let now = 1_000 + every; now <= until; now += every) overload.served(now);
  return overload;
}

describe('one more may wait', () => {
  it('in a burst, however many there are', () => {
    expect(standing(10, 1_240).refuses(1_249, 100_000, 1)).toBeNull();
  });

  it('where no more than three wait for each worker, however slow the pages are', () => {
    expect(standing(1_000, 9_000).refuses(9_000, 23, 8)).toBeNull();
  });

  it('where the queue will be gone in time, however long it is', () => {
    // 100 a second: 35 of them take 350 ms.
    expect(standing(10, 2_000).refuses(2_000, 35, 1)).toBeNull();
    expect(standing(1, 2_000).refuses(2_000, 340, 1)).toBeNull();
  });

  it('where the queue has been empty a moment ago', () => {
    const overload = standing(10, 5_000);
    overload.empty(4_900);
    expect(overload.refuses(5_000, 1_000, 1)).toBeNull();
  });
});

describe('one more is refused', () => {
  it('where the queue stands, and takes longer than it should', () => {
    const overload = standing(10, 3_000);
    expect(overload.refuses(3_000, 40, 1)).toBeCloseTo(50, -1);
    expect(overload.refused).toBe(1);
  });

  it('from a quarter of a second on, by the pace since the queue began', () => {
    expect(standing(10, 1_250).refuses(1_250, 50, 1)).not.toBeNull();
  });

  it('with three for each worker, where nothing is answered at all', () => {
    const overload = new Overload();
    overload.empty(0);
    expect(overload.refuses(2_000, 24, 8)).toBeGreaterThan(1_000);
    expect(overload.refuses(2_000, 23, 8)).toBeNull();
  });

  it('by the pace of the last second, not of the one before', () => {
    const overload = standing(1, 3_000);
    for (let now = 3_100; now <= 5_000; now += 100) overload.served(now);
    expect(overload.refuses(5_000, 30, 1)).toBeGreaterThan(2_000);
  });
});

it('the time it says is that until the queue is short enough', () => {
  // 10 a second: 20 take 2 s, and 350 ms are allowed.
  expect(standing(100, 4_000).refuses(4_000, 20, 1)).toBeCloseTo(1_650, -3);
});
