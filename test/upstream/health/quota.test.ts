import { describe, expect, it } from 'vitest';
import {
  type HealthFacts,
  isQueryDue,
  isTakenForWell,
  liftsLimit,
  quota,
  quotaWithoutTrusted,
} from '../../../src/upstream/health/quota.ts';

const ALL = Number.POSITIVE_INFINITY;

function known(given: Partial<HealthFacts> = {}): HealthFacts {
  return {
    state: 'up',
    known: true,
    proven: true,
    suspect: false,
    silence: 0,
    signs: 0,
    isThere: false,
    headersTimeout: 60_000,
    ...given,
  };
}

/** It has never answered a request. */
function unknown(given: Partial<HealthFacts> = {}): HealthFacts {
  return known({ known: false, proven: false, ...given });
}

describe('how many requests a server may have at once', () => {
  it.each([
    ['one that answers', known(), ALL, ALL],
    ['one that has answered nobody yet', unknown(), 2, 2],
    ['the same, silent for 3 s', unknown({ silence: 3000 }), 2, 2],
    ['the same, but it has said twice that it is there', unknown({ silence: 3000, signs: 2 }), 2, 4],
    ['the same, and it is none that could be asked', unknown({ silence: 3000, signs: null }), 2, 2],
    ['one that has shown nothing since it had nothing to do', known({ proven: false }), 2, 2],
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
    ['there is no other', [unknown()], true],
    ['all are silent', [unknown({ silence: 1000 }), known({ suspect: true, silence: 1100 })], true],
    [
      'all are silent for half of headersTimeout',
      [unknown({ silence: 200, headersTimeout: 400 }), unknown({ silence: 250, headersTimeout: 400 })],
      true,
    ],
    ['one may answer soon', [unknown({ silence: 999 }), known({ suspect: true, silence: 1100 })], false],
    ['one answers, and is only full', [known({ silence: 900 }), unknown({ silence: 900 })], false],
  ])('has no limit where %s: %o -> %s', (_, servers, expected) => {
    expect(liftsLimit(servers, false)).toBe(expected);
  });

  it('has one as long as there are backups to turn to', () => {
    expect(liftsLimit([unknown()], true)).toBe(false);
    expect(liftsLimit([unknown({ silence: 1000 })], true)).toBe(false);
  });
});

describe('a server is asked whether it is there', () => {
  const silent = (silence: number, more: Partial<HealthFacts> = {}): HealthFacts =>
    unknown({ silence, ...more });

  it.each([
    ['it answers', known({ silence: 9000 }), true, false],
    ['it has been silent for a moment only', silent(499), false, false],
    ['nobody has answered yet', silent(500), false, true],
    ['a quarter of headersTimeout has passed', silent(100, { headersTimeout: 400 }), false, true],
    ['it has said so already', silent(900, { isThere: true }), false, false],
    ['others answer: it is not asked so soon', silent(4999), true, false],
    ['others answer, and 5 s have passed', silent(5000), true, true],
    ['it has said so: the next time in 15 s', silent(14_999, { signs: 1 }), true, false],
    ['it has said so, and 15 s have passed', silent(15_000, { signs: 1 }), true, true],
    ['it has fallen silent', known({ silence: 1000, suspect: true }), true, true],
    ['the same, it has said so', known({ silence: 2999, suspect: true, signs: 1 }), true, false],
    ['the same, and 3 s have passed', known({ silence: 3000, suspect: true, signs: 1 }), true, true],
    ['it is none that could be asked', silent(9000, { signs: null }), false, false],
  ])('%s: %o, another answers: %s -> %s', (_, server, isOtherTrusted, expected) => {
    expect(isQueryDue(server, isOtherTrusted)).toBe(expected);
  });
});

it.each([
  [
    'it has said that it is there, and no page is done within a second',
    { isThere: true, silence: 1000 },
    true,
  ],
  ['a page may still be done in time', { isThere: true, silence: 999 }, false],
  ['half of headersTimeout has passed', { isThere: true, silence: 200, headersTimeout: 400 }, true],
  ['it says nothing at all', { silence: 9000 }, false],
])(
  'a server that nobody has had an answer from is taken to be well where %s: %s, %s',
  (_, given, expected) => {
    expect(isTakenForWell(unknown(given))).toBe(expected);
  },
);
