import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  capacityOf,
  leastConn,
  randomTwo,
  roundRobin,
} from '../../../src/upstream/balance/balance.ts';

function server(name: string, given: Partial<Candidate> = {}): Candidate {
  return { name, weight: 1, load: 0, capacity: 1, current: 0, ...given };
}

function picks(count: number, pick: () => Candidate | null): string {
  return Array.from({ length: count }, () => pick()?.name ?? '-').join('');
}

/** Numbers from 0 up to 1 that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('round-robin', () => {
  it('goes round', () => {
    const servers = [server('a'), server('b'), server('c')];
    expect(picks(6, () => roundRobin(servers))).toBe('abcabc');
  });

  it('gives each its share by weight, spread out, as nginx does', () => {
    const servers = [server('a', { weight: 5 }), server('b'), server('c')];
    expect(picks(7, () => roundRobin(servers))).toBe('aabacaa');
  });

  it('finds nobody among none', () => {
    expect(roundRobin([])).toBeNull();
  });
});

describe('least-conn', () => {
  it('takes the least loaded for its weight and its workers', () => {
    const servers = [
      server('a', { load: 4, weight: 4, capacity: 4 }),
      server('b', { load: 3, weight: 1, capacity: 4 }),
      server('c', { load: 1, weight: 1, capacity: 2 }),
    ];
    expect(picks(1, () => leastConn(servers))).toBe('a');
  });

  it('one request after the other: in turn, by weight', () => {
    const equal = [server('a'), server('b')];
    expect(picks(4, () => leastConn(equal))).toBe('abab');
    const unequal = [server('a'), server('b', { weight: 3 })];
    expect(picks(8, () => leastConn(unequal)).replaceAll('a', '')).toBe('bbbbbb');
  });
});

describe('random-two', () => {
  it('takes the less loaded of two, so that of two the loaded one has nothing', () => {
    const servers = [server('a', { load: 5 }), server('b')];
    expect(picks(20, () => randomTwo(servers, seeded(1)))).toBe('b'.repeat(20));
  });

  it('is by weight among equals', () => {
    const servers = [server('a'), server('b', { weight: 9 }), server('c')];
    const random = seeded(7);
    const count = picks(3000, () => randomTwo(servers, random)).replaceAll(/[ac]/g, '').length;
    // The first of two that are equally loaded is taken: 9 of 11.
    expect(count / 3000).toBeGreaterThan(0.78);
    expect(count / 3000).toBeLessThan(0.86);
  });

  it('has the only one, and nobody among none', () => {
    expect(randomTwo([server('a')], seeded(1))?.name).toBe('a');
    expect(randomTwo([], seeded(1))).toBeNull();
  });
});

describe('what a server can run', () => {
  it.each([
    ['one that has shown less, unasked, is as able as the best', 1, false, 1, 8, 8],
    ['one that was seen to be full is as able as it has shown', 3, true, 1, 8, 3],
    ['... for each part of its weight', 6, true, 2, 8, 3],
    ['one that is full has a worker at the least', 0, true, 1, 8, 1],
  ])('%s', (_, workers, full, weight, most, expected) => {
    expect(capacityOf(workers, full, weight, most)).toBe(expected);
  });
});
