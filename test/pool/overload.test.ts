import { describe, expect, it } from 'vitest';
import { type Arrival, Overload } from '../../src/pool/overload.ts';

/** A queue that begins at 1000 and from then on is served every `every` ms, until `until`. */
function standing(every: number, until: number): Overload {
  const overload = new Overload();
  overload.empty(1_000);
  for (let now = 1_000 + every; now <= until; now += every) overload.served(now);
  return overload;
}

function arrival(now: number, queued: number, more: Partial<Arrival> = {}): Arrival {
  return { now, queued, sent: 1, workers: 1, quick: 0, ...more };
}

describe('one more may wait', () => {
  it('in a burst, however many there are', () => {
    expect(standing(10, 1_140).refuses(arrival(1_149, 100_000))).toBeNull();
  });

  it('where the queue will be gone in time, however long it is', () => {
    // 100 and 1000 a second: 35 and 350 of them take 350 ms.
    expect(standing(10, 2_000).refuses(arrival(2_000, 34))).toBeNull();
    expect(standing(1, 2_000).refuses(arrival(2_000, 340))).toBeNull();
  });

  it('for two and a half pages, where even quick ones take long', () => {
    // 8 workers, pages of a second: 16 that wait take 2 s.
    const overload = standing(125, 5_000);
    expect(overload.refuses(arrival(5_000, 16, { quick: 1_000 }))).toBeNull();
    expect(overload.refuses(arrival(5_000, 16, { quick: 100 }))).not.toBeNull();
  });

  it('where the queue has been empty a moment ago', () => {
    const overload = standing(10, 5_000);
    overload.empty(4_851);
    expect(overload.refuses(arrival(5_000, 1_000))).toBeNull();
    overload.empty(4_850);
    expect(overload.refuses(arrival(5_000, 1_000))).not.toBeNull();
  });

  it('three for each that runs, while nothing is answered at all', () => {
    const overload = standing(1, 0);
    expect(overload.refuses(arrival(1_900, 23, { sent: 8 }))).toBeNull();
    expect(overload.refuses(arrival(1_900, 24, { sent: 8 }))).toBe(1_000);
  });
});

describe('one more is refused', () => {
  it('where the queue stands, and takes longer than it should', () => {
    expect(standing(10, 3_000).refuses(arrival(3_000, 40))).toBeGreaterThan(0);
  });

  it('from 150 ms on, by the pace since the queue began', () => {
    expect(standing(10, 1_150).refuses(arrival(1_150, 50))).not.toBeNull();
  });

  it('by the pace of the last second, not of the one before', () => {
    const overload = standing(1, 3_000);
    for (let now = 3_100; now <= 5_000; now += 100) overload.served(now);
    expect(overload.refuses(arrival(5_000, 30))).toBeGreaterThan(2_000);
  });

  it('where those that are sent, and have no worker, make up the rest', () => {
    // 100 a second: 30 take 300 ms, 40 take 400.
    const overload = standing(10, 3_000);
    expect(overload.refuses(arrival(3_000, 30, { sent: 8, workers: 8 }))).toBeNull();
    expect(overload.refuses(arrival(3_000, 30, { sent: 18, workers: 8 }))).not.toBeNull();
    expect(overload.refuses(arrival(3_000, 30, { sent: 1, workers: 8 }))).toBeNull();
  });

  it('and told how much shorter the queue must become', () => {
    // 10 a second: 20 take about 2 s, and 350 ms are allowed.
    const over = standing(100, 4_000).refuses(arrival(4_000, 20)) ?? 0;
    expect(over).toBeGreaterThan(1_300);
    expect(over).toBeLessThan(1_700);
  });
});
