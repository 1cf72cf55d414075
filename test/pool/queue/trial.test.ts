import { describe, expect, it } from 'vitest';
import { Trial } from '../../../src/pool/queue/trial.ts';

/** Asks every 10 ms, from `from` on: when may one more wait that is to be refused? As [from, to] of each trial, to 10 ms. */
function trials(trial: Trial, from: number, to: number, fits: (now: number) => boolean): number[][] {
  const found: number[][] = [];
  for (let now = from; now < to; now += 10) {
    if (!trial.allows(now, fits(now), 2_000)) continue;
    const last = found.at(-1);
    if (last?.[1] === now) last[1] = now + 10;
    else found.push([now, now + 10]);
  }
  return found;
}

describe('those who are to be refused may wait all the same', () => {
  it('a second after the first was, for as long as it takes, and then after twice as long a pause each time', () => {
    expect(trials(new Trial(), 0, 20_000, () => true)).toEqual([
      [1_000, 3_000],
      [5_000, 7_000],
      [11_000, 13_000],
    ]);
  });

  it('until their queue is too long for that as well', () => {
    expect(trials(new Trial(), 0, 5_000, (now) => now < 1_500)).toEqual([[1_000, 1_500]]);
  });

  it('as soon as it is short enough', () => {
    expect(trials(new Trial(), 0, 4_000, (now) => now >= 1_200)).toEqual([[1_200, 3_200]]);
  });

  it('a second after the first again, where nobody was to be refused for a while', () => {
    const trial = new Trial();
    trials(trial, 0, 20_000, () => true);
    expect(trials(trial, 30_000, 34_000, () => true)).toEqual([[31_000, 33_000]]);
  });
});
