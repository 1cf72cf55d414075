import { describe, expect, it } from 'vitest';
import {
  type HealthFacts,
  isQueryDue,
  liftsLimit,
  quota,
  quotaWithoutTrusted,
} from '../../../src/upstream/health/quota.ts';

const ALL = Number.POSITIVE_INFINITY;

function known(given: Partial<HealthFacts> = {}): HealthFacts {
  return { state: 'up', proven: true, suspect: false, silence: 0, signs: 0, ...given };
}

describe('how many requests a server may have at once', () => {
  it.each([
    ['one that answers', known(), ALL, ALL],
    ['one that has answered nobody yet', known({ proven: false }), 2, 2],
    ['the same, silent for 3 s', known({ proven: false, silence: 3000 }), 2, 2],
    [
      'the same, but it has said twice that it is there',
      known({ proven: false, silence: 3000, signs: 2 }),
      2,
      4,
    ],
    [
      'the same, and it is none that could be asked',
      known({ proven: false, silence: 3000, signs: null }),
      2,
      2,
    ],
    ['one on trial', known({ state: 'trial' }), 1, 1],
    ['the same, silent for 7 s', known({ state: 'trial', silence: 7000 }), 1, 1],
    ['one that the panic rule keeps', known({ state: 'failed' }), 1, 1],
    ['one that has fallen silent', known({ suspect: true, silence: 60 }), 0, 2],
    ['the same after 7 s', known({ suspect: true, silence: 7000 }), 0, 2],
    [
      'the same, but it has said three times that it is there',
      known({ suspect: true, silence: 7000, signs: 3 }),
      0,
      5,
    ],
    [
      'the same, but it is none that could be asked',
      known({ suspect: true, silence: 7000, signs: null }),
      0,
      5,
    ],
  ])('%s: %s, %#', (_, server, most, inNeed) => {
    expect(quota(server)).toBe(most);
    expect(quotaWithoutTrusted(server)).toBe(inNeed);
  });

  it.each([
    ['there is no other', [known({ proven: false })], true],
    [
      'all are silent',
      [known({ proven: false, silence: 400 }), known({ suspect: true, silence: 500 })],
      true,
    ],
    [
      'one may answer soon',
      [known({ proven: false, silence: 399 }), known({ suspect: true, silence: 500 })],
      false,
    ],
    [
      'one answers, and is only full',
      [known({ silence: 900 }), known({ proven: false, silence: 900 })],
      false,
    ],
  ])('has no limit where %s: %o -> %s', (_, servers, expected) => {
    expect(liftsLimit(servers)).toBe(expected);
  });
});

describe('a server is asked whether it is there', () => {
  const silent = (silence: number, more: Partial<HealthFacts> = {}): HealthFacts =>
    known({ proven: false, silence, ...more });

  it.each([
    ['it answers', known({ silence: 9000 }), true, false],
    ['it has been silent for a moment only', silent(99), false, false],
    ['nobody has answered yet', silent(100), false, true],
    ['others answer: it is not asked so soon', silent(999), true, false],
    ['others answer, and a second has passed', silent(1000), true, true],
    ['it has said so: the next time in 3 s', silent(2999, { signs: 1 }), true, false],
    ['it has said so, and 3 s have passed', silent(3000, { signs: 1 }), true, true],
    ['it has fallen silent', silent(1000, { proven: true, suspect: true }), true, true],
    ['it is none that could be asked', silent(9000, { signs: null }), false, false],
  ])('%s: %o, another answers: %s -> %s', (_, server, isOtherTrusted, expected) => {
    expect(isQueryDue(server, isOtherTrusted)).toBe(expected);
  });
});
