import { describe, expect, it } from 'vitest';
import type { CloseReason } from '../../../src/connection/reuse.ts';
import { Continuity } from '../../../src/pool/learned/continuity.ts';

/** A server that was met at 0, and has one connection. */
function met(): Continuity {
  const seen = new Continuity();
  seen.isBroken(0);
  seen.opened();
  return seen;
}

it('of one that was never met nothing is known', () => {
  expect(new Continuity().isBroken(0)).toBe(true);
});

it('while a connection is open it is the same', () => {
  expect(met().isBroken(100_000)).toBe(false);
});

it('where nobody listened meanwhile it may be another, and that is said once', () => {
  const seen = met();
  seen.refused();
  expect([seen.isBroken(1), seen.isBroken(1)]).toEqual([true, false]);
});

describe('its last connection was closed at 5,000', () => {
  it.each<[CloseReason, boolean, number, boolean]>([
    // By this side: it was there until then.
    ['keepalive-timeout', true, 5_999, false],
    ['keepalive-timeout', true, 6_000, true],
    ['not-kept', false, 5_999, false],
    // By a worker that leaves behind its answer, or by the death of one: when php-fpm was seen for the latest time nobody knows.
    ['server-closed', false, 5_001, true],
    ['recycled', false, 5_001, true],
    ['failed', false, 5_001, true],
    // By php-fpm that stops.
    ['server-closed', true, 5_001, true],
    ['reset', true, 5_001, true],
  ])('%s, settled %s: at %i another may stand there: %s', (reason, isSettled, now, mayBeOther) => {
    const seen = met();
    seen.closed(reason, isSettled, 5_000);
    expect(seen.isBroken(now)).toBe(mayBeOther);
  });
});

describe('one of two connections was closed', () => {
  it.each<[CloseReason, boolean, boolean]>([
    ['keepalive-timeout', true, false],
    ['server-closed', false, false],
    ['recycled', false, false],
    ['failed', false, false],
    ['unanswered', true, false],
    ['server-closed', true, true],
    ['reset', true, true],
  ])('%s, settled %s: another may stand there: %s', (reason, isSettled, mayBeOther) => {
    const seen = met();
    seen.opened();
    seen.closed(reason, isSettled, 5_000);
    expect(seen.isBroken(100_000)).toBe(mayBeOther);
  });
});

it('workers that leave behind each answer have it looked at once a second', () => {
  const seen = new Continuity();
  let looks = 0;
  for (let now = 0; now < 10_000; now += 10) {
    if (seen.isBroken(now)) looks++;
    seen.opened();
    seen.closed('server-closed', false, now);
  }
  expect(looks).toBe(10);
});
