import { describe, expect, it } from 'vitest';
import { type Ranked, tier } from '../../../src/upstream/health/tier.ts';

/** `a` up, `A` left alone (until its place in the alphabet), `?a` on trial, `!a` busy, `~a` silent; `+` in front: a backup. */
function asked(servers: string): string {
  const all = servers.split(' ').map((word): Ranked & { name: string } => {
    const name = word.slice(-1).toLowerCase();
    const state = word.includes('?')
      ? 'trial'
      : word.includes('!')
        ? 'busy'
        : word.endsWith(name)
          ? 'up'
          : 'failed';
    return {
      name,
      state,
      backup: word.startsWith('+'),
      until: name.charCodeAt(0),
      isSilent: word.includes('~'),
    };
  });
  return tier(all)
    .map(({ name }) => name)
    .join('');
}

describe('which servers are asked', () => {
  it.each([
    ['a b c', 'abc', 'all that are up'],
    ['a B c', 'ac', 'not one that is left alone'],
    ['a ?b c', 'abc', 'one on trial, too'],
    ['a !b +c', 'a', 'not one that is busy, nor a backup, where another is up'],
    ['A +b', 'b', 'a backup where the others are left alone'],
    ['A B +c', 'c', 'a backup rather than one that is left alone'],
    ['!a +b', 'b', 'a backup where the others are busy'],
    ['!a !b C', 'ab', 'those that are only busy, where nobody is up'],
    ['A B', 'ab', 'all, where all are left alone: the last one never is'],
    ['~a +b', 'ab', 'a backup beside one that has been silent for long'],
    ['~a c +b', 'ac', 'no backup, where only one of two is silent'],
    ['?a +b', 'ab', 'a backup beside one on trial, which gets one request at a time'],
    ['~a C +b', 'ab', 'a backup rather than one that is left alone, beside a silent one'],
    ['~a +B', 'a', 'no backup that is left alone itself'],
    ['A', 'a', 'the only one in any case'],
    ['A B c', 'ca', 'never less than half: the one that has been left alone longest'],
    ['A B C d', 'da', 'never less than half of four'],
    ['A B c d', 'cd', 'half of four may be left alone'],
    ['A B C +D', 'abcd', 'all, backups as well, where all have failed'],
  ])('of %s: %s (%s)', (servers, expected) => {
    expect(asked(servers)).toBe(expected);
  });
});
