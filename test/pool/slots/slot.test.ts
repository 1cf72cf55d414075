import { describe, expect, it } from 'vitest';
import type { CloseReason } from '../../../src/connection/reuse.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { closeIdle, closeStillIdle, closeUnwanted, isHeldBack, Slot } from '../../../src/pool/slots/slot.ts';

function running(): Slot {
  const slot = new Slot();
  slot.job = { startedAt: 0, exchange: null, abandoned: null };
  slot.connection = {} as never;
  return slot;
}

describe('where php-fpm has no more workers for now, a request is', () => {
  const full = {
    open: new Set([running(), running(), running()]),
    learned: { workers: { isFull: true, found: 2 } },
    settings: { queueSize: 100, waitsForKept: true },
  };

  it.each([
    { found: 2, isHeld: true },
    { found: 3, isHeld: true },
    { found: 4, isHeld: false },
  ])('held back with as many connections as have run at once, $found', ({ found, isHeld }) => {
    expect(isHeldBack({ ...full, learned: { workers: { isFull: true, found } } })).toBe(isHeld);
  });

  it('not held back else, nor where nobody may wait in the queue, nor where no connection is kept', () => {
    const { settings } = full;
    expect(isHeldBack(full)).toBe(true);
    expect(isHeldBack({ ...full, learned: { workers: { isFull: false, found: 2 } } })).toBe(false);
    expect(isHeldBack({ ...full, settings: { ...settings, queueSize: 0 } })).toBe(false);
    expect(isHeldBack({ ...full, settings: { ...settings, waitsForKept: false } })).toBe(false);
  });
});

describe('where others need workers', () => {
  /** Idle, and what it was closed for. */
  function idleWith(closed: string[]): Slot {
    const slot = new Slot();
    slot.idle = true;
    const close = (reason: string): void => {
      closed.push(reason);
      slot.endIdle();
    };
    slot.connection = { close } as never;
    return slot;
  }

  it('a connection goes that is idle the second time that is looked', () => {
    const closed: string[] = [];
    const slots = [idleWith(closed), running()];
    expect([closeStillIdle(slots), closed]).toEqual([true, []]);
    expect([closeStillIdle(slots), closed]).toEqual([false, ['keepalive-timeout']]);
    expect([closeStillIdle(slots), closed]).toEqual([false, ['keepalive-timeout']]);
  });

  it('one that was used meanwhile has its time once more', () => {
    const closed: string[] = [];
    const slot = idleWith(closed);
    closeStillIdle([slot]);
    slot.endIdle();
    slot.idle = true;
    expect([closeStillIdle([slot]), closed]).toEqual([true, []]);
  });

  it('one goes while another has just become idle', () => {
    const closed: string[] = [];
    const slots = [idleWith(closed)];
    closeStillIdle(slots);
    slots.push(idleWith(closed));
    expect([closeStillIdle(slots), closed]).toEqual([true, ['keepalive-timeout']]);
  });
});

it('a slot is spent once its connection has gone, and not before it has had one', () => {
  const target = parseAddress('127.0.0.1:9000');
  const slot = new Slot();
  expect(slot.spent).toBe(false);
  // A dial that failed.
  slot.disconnected(target, 'failed', 0);
  expect(slot.spent).toBe(true);
  slot.connection = {} as never;
  expect(slot.spent).toBe(false);
});

it.each<[CloseReason | null, boolean]>([
  ['keepalive-time', true],
  ['keepalive-requests', true],
  ['yield', true],
  ['server-closed', false],
  ['keepalive-timeout', false],
  [null, false],
])('another connection follows one that was closed as %s: %s', (reason, follows) => {
  const slot = new Slot();
  if (reason !== null) slot.disconnected(parseAddress('127.0.0.1:9000'), reason, 0);
  expect(slot.isGivenBack).toBe(follows);
});

describe('of several connections', () => {
  /** Its name is noted with the reason for which it is closed. */
  function slotOf(closed: string[], name: string, state: 'idle' | 'busy' | 'abandoned' | 'asked'): Slot {
    const slot = new Slot();
    const close = (reason: string): unknown => closed.push(`${name}: ${reason}`);
    slot.connection = { close, fail: (_: unknown, reason: string) => close(reason) } as never;
    slot.idle = state === 'idle';
    const abandoned = state === 'abandoned' ? { until: 9, reason: new Error('left') } : null;
    if (state === 'busy' || state === 'abandoned') slot.job = { startedAt: 0, exchange: null, abandoned };
    return slot;
  }

  it.each([
    [0, []],
    [1, ['b: yield']],
    [2, ['b: yield', 'd: yield']],
    [9, ['b: yield', 'd: yield', 'e: yield']],
  ])('%i at the most are closed that are idle', (most, expected) => {
    const closed: string[] = [];
    const states = ['busy', 'idle', 'asked', 'idle', 'idle'] as const;
    const slots = states.map((state, nth) => slotOf(closed, 'abcde'.charAt(nth), state));
    closeIdle(slots, 'yield', most);
    expect(closed).toEqual(expected);
  });

  it('those are closed whose request nobody wants any more, or that carry none', () => {
    const closed: string[] = [];
    const states = ['busy', 'idle', 'abandoned', 'asked'] as const;
    closeUnwanted(
      states.map((state) => slotOf(closed, state, state)),
      'pool-closed',
    );
    expect(closed).toEqual(['idle: pool-closed', 'abandoned: pool-closed', 'asked: pool-closed']);
  });
});
