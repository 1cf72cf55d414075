import { describe, expect, it } from 'vitest';
import { Backlog } from '../../../src/pool/learned/backlog.ts';

/** No time passes between what is seen. */
const STILL = { now: () => 0 };

/** New connections that are asked at once and get a worker after so many ms. */
function waited(...waits: readonly number[]): Backlog<string> {
  const backlog = new Backlog<string>(STILL);
  for (const [nth, wait] of waits.entries()) {
    backlog.asked(`${nth}`, 0, 1_000);
    expect(backlog.accepted(`${nth}`, 1_000 + wait)).toBe(wait);
  }
  return backlog;
}

describe('how long one more would wait for a worker', () => {
  const withOneMore = (...waits: readonly number[]): Backlog<string> => {
    const backlog = waited(...waits);
    backlog.asked('more', 0, 2_000);
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
    for (const one of ['a', 'b', 'c']) backlog.asked(one, 0, 1_000);
    const behindOthers = [['a', 1_200] as const, ['b', 1_500] as const, ['c', 1_100] as const].map(
      ([one, at]) => {
        backlog.accepted(one, at);
        return backlog.behindOthers;
      },
    );
    expect(behindOthers).toEqual([200, 200, 100]);
  });

  describe('with none of ours there for a while', () => {
    const later = (...times: readonly number[]): Backlog<string> => {
      let now = 1_000;
      const backlog = new Backlog<string>({ now: () => now });
      for (const key of ['a', 'b', 'c']) {
        backlog.asked(key, 0, 0);
        backlog.accepted(key, 600);
      }
      for (const [nth, time] of times.entries()) {
        now = time;
        if (nth < times.length - 1) backlog.asked('more', 0, 700);
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
    backlog.asked('another', 0, 2_400);
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

describe('how many may wait at once', () => {
  /** Of a server that has just cost somebody an answer. */
  const harmful = (): Backlog<string> => {
    const backlog = new Backlog<string>(STILL);
    backlog.lost();
    return backlog;
  };
  /** So many are asked at 1000, and looked at 151 ms later, or so. */
  const late = (count: number, after = 151, connecting = 0): Backlog<string> => {
    const backlog = harmful();
    for (let nth = 0; nth < count; nth++) backlog.asked(`${nth}`, connecting, 1_000);
    backlog.onTick(1_000 + after);
    return backlog;
  };
  const many = Number.POSITIVE_INFINITY;

  it('any number while fewer than three in a row were late, which is later than 150 ms', () => {
    expect([late(2).most, late(8, 150).most]).toEqual([many, many]);
  });

  it('any number while no request is lost: nobody is better off in a queue of ours', () => {
    const backlog = new Backlog<string>(STILL);
    const lateOnes = (names: readonly string[], at: number, wait = 151): number => {
      for (const one of names) backlog.asked(one, 0, at);
      backlog.onTick(at + wait);
      const { most } = backlog;
      for (const one of names) backlog.accepted(one, at + wait);
      return most;
    };
    const four = ['a', 'b', 'c', 'd'];
    expect(lateOnes(four, 1_000, 900)).toBe(many);
    backlog.lost();
    expect(lateOnes(four, 2_000, 900)).toBe(1);
    const others = Array.from({ length: 59 }, (_, nth) => `${nth}`);
    expect(lateOnes(others, 3_000)).toBe(1);
    expect(lateOnes(['64th since then'], 4_000)).toBe(1);
    expect(backlog.most).toBe(many);
    expect(lateOnes(four, 5_000)).toBe(many);
    backlog.lost();
    expect(lateOnes(['one'], 6_000)).toBe(1);
  });

  it('half of those that wait for each more that is late, and never less than one', () => {
    expect([late(3).most, late(4).most, late(8).most]).toEqual([1, 1, 1]);
    const backlog = late(2);
    for (let nth = 0; nth < 8; nth++) backlog.asked(`young ${nth}`, 0, 1_100);
    backlog.asked('third', 0, 1_010);
    backlog.onTick(1_161);
    expect(backlog.most).toBe(5);
  });

  it('each is late once, however often one looks', () => {
    const backlog = late(2);
    backlog.onTick(1_200);
    backlog.onTick(9_000);
    expect(backlog.most).toBe(many);
  });

  it('where connecting takes its time, late is later: after a hundred times that', () => {
    expect([late(3, 400, 4).most, late(3, 401, 4).most]).toEqual([many, 1]);
  });

  it('one more for each that was in time, 150 ms included, and not for one that was late', () => {
    const backlog = late(3);
    backlog.accepted('0', 1_160);
    expect(backlog.most).toBe(1);
    backlog.asked('in time', 0, 2_000);
    backlog.accepted('in time', 2_150);
    expect(backlog.most).toBe(2);
    backlog.asked('late', 0, 3_000);
    backlog.accepted('late', 3_151);
    expect(backlog.most).toBe(2);
  });

  it('one that is in time ends the row', () => {
    const backlog = late(2);
    backlog.asked('in time', 0, 2_000);
    backlog.accepted('in time', 2_001);
    for (const one of ['a', 'b']) backlog.asked(one, 0, 3_000);
    backlog.onTick(3_151);
    expect(backlog.most).toBe(many);
    backlog.asked('c', 0, 4_000);
    backlog.onTick(4_151);
    expect(backlog.most).toBe(2);
  });

  it('one more for each second that the oldest waits: it may be with a worker that hangs', () => {
    const backlog = late(3);
    expect([backlog.mayOpen(0, 1_000, 1_999), backlog.mayOpen(1, 1_000, 1_999)]).toEqual([true, false]);
    expect([backlog.mayOpen(1, 1_000, 2_000), backlog.mayOpen(2, 1_000, 2_000)]).toEqual([true, false]);
    expect(backlog.mayOpen(2, 1_000, 3_000)).toBe(true);
  });

  describe('any number where there are several queues, as one that is late was passed by two that were not', () => {
    /** Old ones are asked, and then young ones, which have their workers after so many ms; then the old ones are late. */
    const passed = (old: number, young: number, wait = 1): Backlog<string> => {
      const backlog = harmful();
      for (let nth = 0; nth < old; nth++) backlog.asked(`old ${nth}`, 0, 1_000);
      for (let nth = 0; nth < young; nth++) backlog.asked(`young ${nth}`, 0, 1_000);
      for (let nth = 0; nth < young; nth++) backlog.accepted(`young ${nth}`, 1_000 + wait);
      backlog.onTick(1_151);
      return backlog;
    };

    it('before it was late', () => {
      expect([passed(4, 0).most, passed(4, 1).most, passed(4, 2).most]).toEqual([1, 1, many]);
    });

    it('and after that', () => {
      const backlog = passed(4, 1);
      backlog.asked('young', 0, 1_200);
      backlog.accepted('young', 1_201);
      expect(backlog.most).toBe(many);
    });

    it('not those that were asked before it', () => {
      const backlog = harmful();
      for (const one of ['a', 'b', 'c', 'd', 'e']) backlog.asked(one, 0, 1_000);
      backlog.accepted('a', 1_001);
      backlog.accepted('b', 1_001);
      backlog.onTick(1_151);
      expect(backlog.most).toBe(1);
    });

    it('not where those that passed it were late themselves', () => {
      const backlog = late(6);
      backlog.accepted('4', 1_160);
      backlog.accepted('5', 1_160);
      expect(backlog.most).toBe(1);
    });

    it('for ten seconds from the last that did', () => {
      const backlog = passed(4, 2);
      const lateAgain = (at: number): number => {
        for (let nth = 0; nth < 4; nth++) backlog.asked(`${at} ${nth}`, 0, at - 151);
        backlog.onTick(at);
        for (let nth = 0; nth < 4; nth++) backlog.gone(`${at} ${nth}`);
        return backlog.most;
      };
      for (let nth = 0; nth < 4; nth++) backlog.gone(`old ${nth}`);
      expect([lateAgain(11_150), lateAgain(11_151)]).toEqual([many, 1]);
    });
  });

  describe('any number where few are in vain, as others have most of the backlog', () => {
    /** Eight wait for so long; then one after the other does, each for `alone`. */
    const held = (before: number, alone: readonly number[]): Backlog<string> => {
      const backlog = late(8);
      backlog.onTick(1_000 + before);
      for (let nth = 0; nth < 8; nth++) backlog.accepted(`${nth}`, 1_000 + before);
      let now = 10_000;
      for (const wait of alone) {
        backlog.asked(`${now}`, 0, now);
        backlog.onTick(now + wait);
        backlog.accepted(`${now}`, now + wait);
        now += wait;
      }
      return backlog;
    };

    it('three in a row wait for more than half of what it was before', () => {
      expect(held(1_000, [501, 501, 501]).most).toBe(many);
      expect([held(1_000, [501, 501]).most, held(1_000, [501, 501, 500]).most]).toEqual([1, 1]);
      expect(held(1_000, [501, 501, 500, 501, 501]).most).toBe(1);
    });

    it('where two may wait as well', () => {
      expect(held(1_000, [501, 501, 100]).most).toBe(2);
      expect(held(1_000, [501, 501, 100, 501, 501, 501]).most).toBe(many);
    });

    it('and are late at all', () => {
      expect([held(200, [150, 150, 150]).most, held(200, [151, 151, 151]).most]).toEqual([4, many]);
    });

    it('not where two of ours wait in front of them, or more than two may wait', () => {
      const crowded = held(1_000, [501, 501]);
      for (const one of ['a', 'b']) crowded.asked(one, 0, 20_000);
      crowded.onTick(20_400);
      crowded.asked('third', 0, 20_400);
      crowded.gone('a');
      crowded.gone('b');
      crowded.onTick(20_902);
      expect(crowded.most).toBe(1);
      const grown = held(1_000, [501, 501, 100, 100]);
      expect(grown.most).toBe(3);
      for (const at of [20_000, 30_000, 40_000]) {
        grown.asked(`${at}`, 0, at);
        grown.onTick(at + 100);
        grown.gone(`${at}`);
      }
      expect(grown.most).toBe(3);
    });

    it('each is counted once, however often one looks', () => {
      const backlog = held(1_000, [501, 501]);
      expect(backlog.most).toBe(1);
      const once = held(1_000, [501]);
      once.asked('last', 0, 20_000);
      for (const at of [20_501, 20_600, 20_700]) once.onTick(at);
      expect(once.most).toBe(1);
    });

    /** Held again at `from`, and in vain again. */
    const again = (backlog: Backlog<string>, from: number): void => {
      for (let nth = 0; nth < 8; nth++) backlog.asked(`${from} ${nth}`, 0, from);
      backlog.onTick(from + 1_000);
      for (let nth = 0; nth < 8; nth++) backlog.accepted(`${from} ${nth}`, from + 1_000);
      for (let at = from + 2_000; at < from + 5_000; at += 1_000) {
        backlog.asked(`${at}`, 0, at);
        backlog.onTick(at + 600);
        backlog.accepted(`${at}`, at + 600);
      }
    };

    it('for ten seconds, and twice as long each time again, 80 s at the most', () => {
      const backlog = held(1_000, [501, 501, 501]);
      // The third was late at 11,503.
      expect([backlog.isOthers(21_502), backlog.isOthers(21_503)]).toEqual([true, false]);
      for (const [from, time] of [
        [30_000, 20_000],
        [60_000, 40_000],
        [120_000, 80_000],
        [220_000, 80_000],
      ] as const) {
        again(backlog, from);
        const until = from + 4_600 + time;
        expect([backlog.isOthers(until - 1), backlog.isOthers(until)]).toEqual([true, false]);
      }
    });

    it('it is ten seconds again once few were of use', () => {
      const backlog = held(1_000, [501, 501, 501]);
      for (let nth = 0; nth < 8; nth++) backlog.asked(`more ${nth}`, 0, 30_000);
      backlog.onTick(31_000);
      for (let nth = 0; nth < 8; nth++) backlog.accepted(`more ${nth}`, 31_000);
      expect(backlog.most).toBe(1);
      backlog.asked('of use', 0, 32_000);
      backlog.accepted('of use', 32_300);
      for (let at = 40_000; at < 43_000; at += 1_000) {
        backlog.asked(`${at}`, 0, at);
        backlog.onTick(at + 600);
        backlog.accepted(`${at}`, at + 600);
      }
      expect([backlog.isOthers(52_599), backlog.isOthers(52_600)]).toEqual([true, false]);
    });
  });

  it('a server that stood still for a minute once does not hide for ever that few are in vain', () => {
    const backlog = late(2, 60_000);
    backlog.accepted('0', 61_000);
    backlog.accepted('1', 61_000);
    backlog.asked('in time', 0, 70_000);
    backlog.accepted('in time', 70_001);
    for (let nth = 0; nth < 8; nth++) backlog.asked(`${nth}`, 0, 80_000);
    backlog.onTick(81_000);
    for (let nth = 0; nth < 8; nth++) backlog.accepted(`${nth}`, 81_000);
    expect(backlog.most).toBe(1);
    for (let at = 90_000; at < 93_000; at += 1_000) {
      backlog.asked(`${at}`, 0, at);
      backlog.onTick(at + 600);
      backlog.accepted(`${at}`, at + 600);
    }
    expect(backlog.most).toBe(many);
  });

  it('any number once so many were in time that 64 may wait', () => {
    const backlog = late(3);
    for (const one of ['0', '1', '2']) backlog.gone(one);
    for (let nth = 0; nth < 63; nth++) {
      backlog.asked('in time', 0, 2_000);
      backlog.accepted('in time', 2_001);
      backlog.lost();
    }
    expect(backlog.most).toBe(64);
    backlog.asked('in time', 0, 2_000);
    backlog.accepted('in time', 2_001);
    expect(backlog.most).toBe(many);
  });
});
