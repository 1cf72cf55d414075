import { describe, expect, it } from 'vitest';
import { AcceptCheck } from '../../../src/pool/learned/accept-check.ts';

const BEHIND_PROXY = { isPhpFpm: true, isDirect: false };

/** How many of the next connections are asked. */
function asked(check: AcceptCheck, connections: number): number {
  return Array.from({ length: connections }, () => check.isDue(BEHIND_PROXY, true)).filter(Boolean).length;
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
    expect(new AcceptCheck().isDue(server, isProvable)).toBe(due);
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
