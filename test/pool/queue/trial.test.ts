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
  it('ten seconds after the first was, for as long as it takes, and then after twice as long a pause each time', () => {
    expect(trials(new Trial(), 0, 200_000, () => true)).toEqual([
      [10_000, 12_000],
      [32_000, 34_000],
      [74_000, 76_000],
      [136_000, 138_000],
      [198_000, 200_000],
    ]);
  });

  it('until their queue is too long for that as well', () => {
    expect(trials(new Trial(), 0, 20_000, (now) => now < 10_500)).toEqual([[10_000, 10_500]]);
  });

  it('as soon as it is short enough', () => {
    expect(trials(new Trial(), 0, 20_000, (now) => now >= 10_200)).toEqual([[10_200, 12_200]]);
  });

  it('ten seconds after the first again, where nobody was to be refused for a while', () => {
    const trial = new Trial();
    trials(trial, 0, 20_000, () => true);
    expect(trials(trial, 30_000, 45_000, () => true)).toEqual([[40_000, 42_000]]);
  });

  it('and for as long nobody who waits is refused', () => {
    const trial = new Trial();
    trials(trial, 0, 10_000, () => true);
    expect([trial.isOn(9_990), trial.allows(10_000, true, 2_000)]).toEqual([false, true]);
    expect([trial.isOn(10_000), trial.isOn(11_999), trial.isOn(12_000)]).toEqual([true, true, false]);
  });

  it.each([
    [2_000, true],
    [2_001, false],
  ])('ten seconds after the first, where somebody is refused each %i ms: %s', (pause, isTried) => {
    const trial = new Trial();
    let allowed = false;
    for (let now = 0; now <= 20_000; now += pause) allowed ||= trial.allows(now, true, 1);
    expect(allowed).toBe(isTried);
  });
});
