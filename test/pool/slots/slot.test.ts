import { describe, expect, it } from 'vitest';
import { closeStillIdle, isHeldBack, Slot } from '../../../src/pool/slots/slot.ts';

/** With a job that was given it then, and without a connection: it is being opened, or waits for a worker. */
function opening(startedAt: number): Slot {
  const slot = new Slot();
  slot.job = { startedAt, exchange: null, abandoned: null };
  return slot;
}

function running(): Slot {
  const slot = opening(0);
  slot.connection = {} as never;
  return slot;
}

function idle(): Slot {
  const slot = running();
  slot.job = null;
  return slot;
}

interface Facts {
  readonly slots: readonly Slot[];
  /** With those that generic-pool is still to hand out. */
  readonly busy: number;
  readonly most: number;
  readonly queueSize?: number;
  readonly waitsForKept?: boolean;
  readonly isFull?: boolean;
  readonly found?: number;
}

/** At 2000, and how many the rule was told of, and since when. */
function held({
  slots,
  busy,
  most,
  queueSize = 100,
  waitsForKept = true,
  isFull = false,
  found = 0,
}: Facts): readonly [boolean, unknown] {
  let told: unknown = null;
  const backlog = {
    most,
    mayOpen: (count: number, oldest: number, now: number) => {
      told = [count, oldest, now];
      return count < most;
    },
  };
  const server = {
    open: new Set(slots),
    busy,
    learned: { workers: { isFull, found } },
    backlog,
    settings: { queueSize, waitsForKept },
    clock: { now: () => 2_000 },
  };
  return [isHeldBack(server), told];
}

describe('a request is held back where new connections wait', () => {
  it('those that are opened or wait count, and those that are still to be handed out; not what runs or is idle', () => {
    const slots = [running(), opening(1_500), idle(), opening(1_200), running()];
    expect(held({ slots, busy: 5, most: 3 })).toEqual([true, [3, 1_200, 2_000]]);
    expect(held({ slots, busy: 5, most: 4 })).toEqual([false, [3, 1_200, 2_000]]);
  });

  it('where none waits, the oldest is now', () => {
    expect(held({ slots: [running()], busy: 1, most: 1 })).toEqual([false, [0, 2_000, 2_000]]);
  });

  it('never where none was late, or where nobody may wait in the queue', () => {
    const slots = [opening(1_500)];
    expect(held({ slots, busy: 1, most: Number.POSITIVE_INFINITY })).toEqual([false, null]);
    expect(held({ slots, busy: 1, most: 1, queueSize: 0 })).toEqual([false, null]);
  });
});

describe('where php-fpm has no more workers for now, a request is', () => {
  const most = Number.POSITIVE_INFINITY;
  const slots = [running(), running(), opening(1_500)];

  it.each([
    { found: 2, isHeld: true },
    { found: 3, isHeld: true },
    { found: 4, isHeld: false },
  ])('held back with as many connections as have run at once, $found', ({ found, isHeld }) => {
    expect(held({ slots, busy: 3, most, isFull: true, found })).toEqual([isHeld, null]);
  });

  it('not held back else, nor where nobody may wait in the queue, nor where no connection is kept', () => {
    expect(held({ slots, busy: 3, most, isFull: false, found: 2 })).toEqual([false, null]);
    expect(held({ slots, busy: 3, most, isFull: true, found: 2, queueSize: 0 })).toEqual([false, null]);
    expect(held({ slots, busy: 3, most, isFull: true, found: 2, waitsForKept: false })).toEqual([
      false,
      null,
    ]);
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
