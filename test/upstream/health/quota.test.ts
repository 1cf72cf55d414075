import { describe, expect, it } from 'vitest';
import { type Known, liftsLimit, quota, quotaWithoutTrusted } from '../../../src/upstream/health/quota.ts';

const ALL = Number.POSITIVE_INFINITY;

function known(given: Partial<Known> = {}): Known {
  return { state: 'up', proven: true, suspect: false, silence: 0, ...given };
}

describe('how many requests a server may have at once', () => {
  it.each([
    ['one that answers', known(), ALL, ALL],
    ['one that has answered nobody yet', known({ proven: false }), 2, 2],
    ['the same, silent for 3 s', known({ proven: false, silence: 3000 }), 2, 4],
    ['one on trial', known({ state: 'trial' }), 1, 1],
    ['one that the panic rule keeps', known({ state: 'failed' }), 1, 1],
    ['one that has fallen silent', known({ suspect: true, silence: 60 }), 0, 2],
    ['the same after 7 s', known({ suspect: true, silence: 7000 }), 0, 5],
  ])('%s: %s, %#', (_, server, most, inNeed) => {
    expect(quota(server)).toBe(most);
    expect(quotaWithoutTrusted(server)).toBe(inNeed);
  });

  it.each([
    ['there is no other', [known({ proven: false })], true],
    [
      'all are silent',
      [known({ proven: false, silence: 100 }), known({ suspect: true, silence: 200 })],
      true,
    ],
    [
      'one may answer soon',
      [known({ proven: false, silence: 99 }), known({ suspect: true, silence: 200 })],
      false,
    ],
    [
      'one answers, and is only full',
      [known({ silence: 300 }), known({ proven: false, silence: 300 })],
      false,
    ],
  ])('has no limit where %s: %o -> %s', (_, servers, expected) => {
    expect(liftsLimit(servers)).toBe(expected);
  });
});
