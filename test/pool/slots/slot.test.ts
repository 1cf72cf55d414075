import { describe, expect, it } from 'vitest';
import { closeStillIdle, isHeldBack, Slot } from '../../../src/pool/slots/slot.ts';

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
