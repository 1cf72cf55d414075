import { describe, expect, it } from 'vitest';
import type { CloseReason } from '../../../src/connection/reuse.ts';
import { Continuity } from '../../../src/pool/learned/continuity.ts';

/** A server that was met at 0, and has one connection. */
function met(): Continuity {
  const seen = new Continuity();
  seen.connected(0);
  seen.opened();
  return seen;
}

it('of one that was never met nothing is known', () => {
  expect(new Continuity().connected(0)).toBe(true);
});

it('two that are connected at once lead to one server, though neither carries requests yet', () => {
  const seen = new Continuity();
  expect([seen.connected(0), seen.connected(1)]).toEqual([true, false]);
});

it('while a connection is open it is the same', () => {
  expect(met().connected(100_000)).toBe(false);
});

it('where nobody listened meanwhile it may be another, and that is said once', () => {
  const seen = met();
  seen.refused();
  expect([seen.connected(1), seen.connected(1)]).toEqual([true, false]);
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
    expect(seen.connected(now)).toBe(mayBeOther);
  });
});

describe('one of two connections was closed', () => {
  it.each<[CloseReason, boolean]>([
    ['keepalive-timeout', true],
    ['server-closed', false],
    ['server-closed', true],
    ['recycled', false],
    ['failed', false],
    ['reset', true],
    ['unanswered', true],
  ])(
    '%s, settled %s: it is the same, as php-fpm that stops goes on listening while it has anything to do',
    (reason, isSettled) => {
      const seen = met();
      seen.opened();
      seen.closed(reason, isSettled, 5_000);
      expect(seen.connected(100_000)).toBe(false);
    },
  );

  it.each<[CloseReason, boolean]>([
    ['server-closed', true],
    ['keepalive-timeout', false],
  ])(
    '%s, and then the other, where php-fpm has closed what was idle: another may stand there: %s',
    (reason, mayBeOther) => {
      const seen = met();
      seen.opened();
      seen.closed(reason, true, 5_000);
      seen.closed('keepalive-timeout', true, 5_000);
      expect(seen.connected(5_001)).toBe(mayBeOther);
    },
  );

  it('and a new one was opened since: only that one worker had gone', () => {
    const seen = met();
    seen.opened();
    seen.closed('server-closed', true, 5_000);
    seen.opened();
    for (const now of [5_001, 5_002]) seen.closed('keepalive-timeout', true, now);
    expect(seen.connected(5_003)).toBe(false);
  });
});

it('workers that leave behind each answer have it looked at once a second', () => {
  const seen = new Continuity();
  let looks = 0;
  for (let now = 0; now < 10_000; now += 10) {
    if (seen.connected(now)) looks++;
    seen.opened();
    seen.closed('server-closed', false, now);
  }
  expect(looks).toBe(10);
});
