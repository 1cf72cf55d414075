import { describe, expect, it } from 'vitest';
import { AcceptCheck } from '../../../src/pool/learned/accept-check.ts';

const BEHIND_PROXY = { isPhpFpm: true, isDirect: false };

/** How many of the next connections are asked. */
function asked(check: AcceptCheck, connections: number): number {
  return Array.from({ length: connections }, () => check.isDue(BEHIND_PROXY, true, 0, false)).filter(Boolean)
    .length;
}

describe('a new connection is asked before its request is sent', () => {
  it.each([
    [{ isPhpFpm: true, isDirect: false }, true, true],
    [{ isPhpFpm: true, isDirect: false }, false, true],
    [{ isPhpFpm: true, isDirect: true }, true, false],
    [{ isPhpFpm: true, isDirect: true }, false, true],
    [{ isPhpFpm: true, isDirect: null }, true, false],
    [{ isPhpFpm: true, isDirect: null }, false, true],
    [{ isPhpFpm: null, isDirect: false }, false, false],
    [{ isPhpFpm: null, isDirect: null }, false, false],
    [{ isPhpFpm: false, isDirect: false }, false, false],
    [{ isPhpFpm: false, isDirect: null }, false, false],
  ])('%j, provable %s: %s', (server, isProvable, due) => {
    expect(new AcceptCheck().isDue(server, isProvable, 0, false)).toBe(due);
  });

  it('in turn, until a connection has outlived its answer, and again once one was lost', () => {
    const check = new AcceptCheck();
    expect(check.staysOpen).toBe(false);
    check.onAnswer();
    expect(check.staysOpen).toBe(true);
    check.onLost();
    expect(check.staysOpen).toBe(false);
    expect(asked(check, 100)).toBe(100);
  });

  it('and is counted once a worker has let it in', () => {
    const check = new AcceptCheck();
    expect(check.answers).toBe(0);
    for (let i = 0; i < 2; i++) check.onAnswer();
    check.onLost();
    expect(check.answers).toBe(2);
  });
});

describe('where it was no use', () => {
  it('once, it is tried again', () => {
    const check = new AcceptCheck();
    check.onFailure();
    expect(check.isDoubted).toBe(false);
    expect(asked(check, 100)).toBe(100);
  });

  it('twice in a row, it is left off, and tried again less and less often', () => {
    const check = new AcceptCheck();
    check.onFailure();
    check.onFailure();
    expect(check.isDoubted).toBe(true);
    for (const skipped of [50, 500, 5_000, 5_000]) {
      expect(asked(check, skipped)).toBe(0);
      expect(asked(check, 1)).toBe(1);
      check.onFailure();
    }
  });

  it('those that were asked at the same time count once', () => {
    const check = new AcceptCheck();
    for (let i = 0; i < 8; i++) check.onFailure();
    expect(asked(check, 50)).toBe(0);
    expect(asked(check, 1)).toBe(1);
  });

  it('an answer ends it', () => {
    const check = new AcceptCheck();
    for (let i = 0; i < 2; i++) check.onFailure();
    check.onAnswer();
    expect(check.isDoubted).toBe(false);
    check.onFailure();
    expect(asked(check, 100)).toBe(100);
  });
});

describe('on a direct connection, whose request is provable, it is asked', () => {
  const DIRECT = { isPhpFpm: true, isDirect: true };
  const due = (check: AcceptCheck, connecting = 0): boolean => check.isDue(DIRECT, true, connecting, false);
  /** How many of the next are asked, each of which has waited so long for its worker. */
  const run = (check: AcceptCheck, connections: number, waited: number, connecting = 0): number => {
    let count = 0;
    for (let nth = 0; nth < connections; nth++) {
      if (!due(check, connecting)) continue;
      count++;
      check.onAccepted(waited, connecting);
    }
    return count;
  };

  /** What eight pages took is known. */
  const informed = (page = 1_000): AcceptCheck => {
    const check = new AcceptCheck();
    for (let nth = 0; nth < 8; nth++) check.onPage(page);
    return check;
  };

  it('never while all are answered soon', () => {
    const check = new AcceptCheck();
    for (let nth = 0; nth < 100; nth++) expect([check.onUnasked(99), due(check)]).toEqual([false, false]);
  });

  it('where more are open than workers have been seen: it may wait for one; not where that takes longer than a hundredth of a page', () => {
    const check = new AcceptCheck();
    const dueAsOneMore = (connecting: number): boolean => check.isDue(DIRECT, true, connecting, true);
    // What a page takes is not known yet.
    expect([dueAsOneMore(50), dueAsOneMore(50), due(check)]).toEqual([true, true, false]);
    check.onPage(40);
    expect([dueAsOneMore(0.4), dueAsOneMore(0.41)]).toEqual([true, false]);
    // While it is not known whether there is a proxy, a look for it comes first.
    expect(check.isDue({ isPhpFpm: true, isDirect: null }, true, 0.4, true)).toBe(false);
    // It is none of those that are asked as others have waited.
    for (let nth = 0; nth < 7; nth++) check.onPage(40);
    check.onUnasked(100);
    expect([dueAsOneMore(0.4), due(check), due(check)]).toEqual([true, true, false]);
  });

  it('once where one was answered late: its script may be slow, or it has waited', () => {
    const check = informed();
    expect(check.onUnasked(100)).toBe(true);
    expect([due(check), due(check)]).toEqual([true, false]);
  });

  it('as long as they wait, for a tenth of a second or more', () => {
    const check = new AcceptCheck();
    check.onUnasked(100);
    expect(run(check, 200, 100)).toBe(200);
    // 64 are left, and one that need not wait counts as five.
    expect(run(check, 200, 99)).toBe(13);
  });

  it('less and less often where workers are free, and the scripts are slow', () => {
    const check = informed();
    const asked = Array.from({ length: 63 }, () => {
      check.onUnasked(500);
      return run(check, 1, 0);
    });
    // The 1st, 3rd, 7th, 15th, 31st, then each 16th.
    expect(asked.flatMap((count, at) => (count > 0 ? [at + 1] : []))).toEqual([1, 3, 7, 15, 31, 47, 63]);
  });

  it('and at once again where one has waited after all', () => {
    const check = informed();
    for (let nth = 0; nth < 31; nth++) {
      check.onUnasked(500);
      run(check, 1, nth === 30 ? 100 : 0);
    }
    expect(run(check, 16, 0)).toBe(4);
    for (let nth = 0; nth < 3; nth++) {
      check.onUnasked(500);
      expect(run(check, 1, 0)).toBe(nth === 1 ? 1 : 0);
    }
  });

  it('sixteen times for a client who has left, 64 times at the most', () => {
    const check = new AcceptCheck();
    check.onLeft();
    expect(Array.from({ length: 20 }, () => due(check)).filter(Boolean)).toHaveLength(16);
    for (let nth = 0; nth < 10; nth++) check.onLeft();
    expect(Array.from({ length: 100 }, () => due(check)).filter(Boolean)).toHaveLength(64);
  });

  it('only where a page takes a hundred times as long as to connect, on the average of the last eight', () => {
    const check = informed(100);
    check.onLeft();
    expect([due(check, 1), due(check, 1.01)]).toEqual([true, false]);
    check.onPage(180);
    expect([due(check, 1.09), due(check, 1.11)]).toEqual([true, false]);
  });

  it('while fewer are known, where a page takes ten times as long: the first ones may have been quick, and count alike', () => {
    const check = new AcceptCheck();
    check.onLeft();
    check.onPage(100);
    expect([due(check, 10), due(check, 10.1)]).toEqual([true, false]);
    check.onPage(180);
    expect([due(check, 13.9), due(check, 14.1)]).toEqual([true, false]);
    for (let nth = 0; nth < 5; nth++) check.onPage(140);
    expect([due(check, 13.9), due(check, 14.1)]).toEqual([true, false]);
    check.onPage(140);
    expect([due(check, 1.39), due(check, 1.41)]).toEqual([true, false]);
  });

  it('but behind a late answer one is asked however quick the pages were', () => {
    const check = informed(10);
    check.onLeft();
    expect(due(check, 0.2)).toBe(false);
    check.onUnasked(100);
    expect([due(check, 0.2), due(check, 0.2)]).toEqual([true, false]);
    check.onAccepted(100, 0.2);
    check.onPage(300);
    // 46 ms on the average.
    expect([due(check, 0.46), due(check, 0.47)]).toEqual([true, false]);
  });

  it('and as many as are missing until eight pages are known', () => {
    for (const known of [0, 1, 5, 7, 8]) {
      const check = new AcceptCheck();
      for (let nth = 0; nth < known; nth++) check.onPage(10);
      check.onUnasked(100);
      const most = Math.max(1, 8 - known);
      expect(Array.from({ length: 9 }, () => due(check, 0.2)).filter(Boolean)).toHaveLength(most);
    }
  });

  it('where connecting takes long, its time counts: that may have been our own event loop', () => {
    const waiting = new AcceptCheck();
    waiting.onUnasked(500);
    waiting.onUnasked(500);
    expect(run(waiting, 1, 200, 2)).toBe(1);
    expect(due(waiting)).toBe(true);
    const slow = informed();
    slow.onUnasked(500);
    expect(run(slow, 1, 199, 2)).toBe(1);
    expect(due(slow)).toBe(false);
  });

  it('not where it was no use', () => {
    const check = new AcceptCheck();
    check.onFailure();
    check.onFailure();
    check.onLeft();
    expect(run(check, 16, 0)).toBe(0);
  });
});
