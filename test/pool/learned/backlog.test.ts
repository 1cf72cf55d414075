import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../src/pool/learned/backlog.ts';

/** No time passes between what is seen. */
const STILL = { now: () => 0 };

/** New connections that are asked at once and get a worker after so many ms. */
function waited(...waits: readonly number[]): Backlog<string> {
  const backlog = new Backlog<string>(STILL);
  for (const [nth, wait] of waits.entries()) {
    backlog.asked(`${nth}`, 1_000);
    expect(backlog.accepted(`${nth}`, 1_000 + wait)).toBe(wait);
  }
  return backlog;
}

describe('how long one more would wait for a worker', () => {
  const withOneMore = (...waits: readonly number[]): Backlog<string> => {
    const backlog = waited(...waits);
    backlog.asked('more', 2_000);
    return backlog;
  };

  it('as long as the quickest of the last three', () => {
    expect(withOneMore(10, 500, 700, 600).wait).toBe(500);
    expect(withOneMore(10, 500, 700).wait).toBe(10);
  });

  it('not at all at first, nor while nobody waits', () => {
    expect(withOneMore(500, 700).wait).toBe(0);
    expect(waited(500, 700, 600).wait).toBe(0);
  });

  it('not at all once a socket that was not asked is answered soon', () => {
    const backlog = withOneMore(500, 700, 600);
    expect([backlog.wait, backlog.behindOthers]).toEqual([500, 600]);
    backlog.answeredSoon();
    expect([backlog.wait, backlog.behindOthers]).toEqual([0, 0]);
  });

  it('behind others: as long as the latest with none of ours in front of it; no longer than one that had', () => {
    expect([waited().behindOthers, waited(500, 700, 600).behindOthers]).toEqual([0, 600]);
    const backlog = new Backlog<string>(STILL);
    for (const one of ['a', 'b', 'c']) backlog.asked(one, 1_000);
    const behindOthers = [['a', 1_200] as const, ['b', 1_500] as const, ['c', 1_100] as const].map(
      ([one, at]) => {
        backlog.accepted(one, at);
        return backlog.behindOthers;
      },
    );
    expect(behindOthers).toEqual([200, 200, 100]);
  });

  it('behind nobody before one has waited, and no time is read for that', () => {
    const clock = {
      now: (): number => {
        throw new Error('read');
      },
    };
    expect(new Backlog<string>(clock).behindOthers).toBe(0);
  });

  describe('with none of ours there for a while', () => {
    const later = (...times: readonly number[]): Backlog<string> => {
      let now = 1_000;
      const backlog = new Backlog<string>({ now: () => now });
      for (const key of ['a', 'b', 'c']) {
        backlog.asked(key, 0);
        backlog.accepted(key, 600);
      }
      for (const [nth, time] of times.entries()) {
        now = time;
        if (nth < times.length - 1) backlog.asked('more', 700);
      }
      return backlog;
    };

    it('it is believed for 2 s', () => {
      expect(later(3_000).behindOthers).toBe(600);
      expect(later(3_001).behindOthers).toBe(0);
    });

    it('one that comes later than that finds nothing', () => {
      expect(later(3_000, 3_000).wait).toBe(600);
      const found = later(3_001, 3_001);
      expect([found.wait, found.behindOthers]).toEqual([0, 0]);
    });

    it('but while one waits nothing is forgotten', () => {
      const { wait, behindOthers } = later(3_000, 60_000);
      expect([wait, behindOthers]).toEqual([600, 600]);
    });
  });

  it('one that has its worker waits no more, nor one that is gone', () => {
    const backlog = withOneMore(500, 700, 600);
    backlog.accepted('more', 2_400);
    expect([backlog.size, backlog.wait]).toEqual([0, 0]);
    backlog.asked('another', 2_400);
    expect([backlog.size, backlog.wait]).toEqual([1, 400]);
    backlog.gone('another');
    expect([backlog.size, backlog.wait]).toEqual([0, 0]);
  });

  it('one that was never asked tells nothing', () => {
    const backlog = waited(500, 700, 600);
    expect(backlog.accepted('never asked', 9_000)).toBe(0);
    expect(backlog.behindOthers).toBe(600);
  });
});
