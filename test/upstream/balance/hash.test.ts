import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../../src/upstream/balance/balance.ts';
import { byHash } from '../../../src/upstream/balance/hash.ts';

function server(name: string, given: Partial<Candidate> = {}): Candidate {
  return { name, weight: 1, load: 0, capacity: 1, current: 0, ...given };
}

const keys = Array.from({ length: 6000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
const names = ['10.1.0.1:9000', '10.1.0.2:9000', '10.1.0.3:9000'];

describe('the same key goes to the same server', () => {
  it('in whatever order they are given', () => {
    const servers = names.map((name) => server(name));
    for (const key of keys.slice(0, 100)) {
      expect(byHash(servers.toReversed(), key)?.name).toBe(byHash(servers, key)?.name);
    }
  });

  it('and where one goes, only its own keys move', () => {
    const [first, ...rest] = names.map((name) => server(name));
    for (const key of keys.slice(0, 300)) {
      const before = byHash(
        [first, ...rest].filter((one) => one !== undefined),
        key,
      );
      if (before !== first) expect(byHash(rest, key)).toBe(before);
    }
  });

  it('spread by weight', () => {
    const servers = [server('a', { weight: 1 }), server('b', { weight: 3 }), server('c', { weight: 2 })];
    const counts = new Map<string, number>();
    for (const key of keys) {
      const name = byHash(servers, key)?.name ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // 1000, 3000, 2000; five standard deviations are 180.
    expect(Math.abs((counts.get('a') ?? 0) - 1000)).toBeLessThan(180);
    expect(Math.abs((counts.get('b') ?? 0) - 3000)).toBeLessThan(200);
    expect(Math.abs((counts.get('c') ?? 0) - 2000)).toBeLessThan(200);
  });

  it('but none gets more than a quarter above its share of what runs', () => {
    const servers = names.map((name) => ({ ...server(name), load: 0 }));
    for (let i = 0; i < 60; i++) {
      const chosen = byHash(servers, 'everybody');
      if (chosen) chosen.load++;
    }
    expect(servers.map(({ load }) => load).sort((a, b) => a - b)).toEqual([10, 25, 25]);
  });
});
