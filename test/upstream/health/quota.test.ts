import { describe, expect, it } from 'vitest';
import { type Known, quota, quotaInNeed } from '../../../src/upstream/health/quota.ts';

const ALL = Number.POSITIVE_INFINITY;

function known(given: Partial<Known> = {}): Known {
  return { state: 'up', proven: true, suspect: false, silence: 0, ...given };
}

describe('how many requests a server may have at once', () => {
  it.each([
    ['one that answers', known(), ALL, ALL, ALL],
    ['one that has answered nobody yet', known({ proven: false }), 2, 2, 2],
    ['the same, silent for 60 ms', known({ proven: false, silence: 60 }), 2, 2, ALL],
    ['the same, silent for 3 s', known({ proven: false, silence: 3000 }), 2, 4, ALL],
    ['one on trial', known({ state: 'trial' }), 1, 1, 1],
    ['one that the panic rule keeps', known({ state: 'failed' }), 1, 1, 1],
    ['one that has fallen silent', known({ suspect: true, silence: 60 }), 0, 2, ALL],
    ['the same after 7 s', known({ suspect: true, silence: 7000 }), 0, 5, ALL],
  ])('%s: %s, %#', (_, server, most, inNeed, ifNoneIsTrusted) => {
    expect(quota(server)).toBe(most);
    expect(quotaInNeed(server, false)).toBe(inNeed);
    expect(quotaInNeed(server, true)).toBe(ifNoneIsTrusted);
  });
});
