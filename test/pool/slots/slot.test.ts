import { describe, expect, it } from 'vitest';
import { isHeldBack, Slot } from '../../../src/pool/slots/slot.ts';

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
}

/** At 2000, and how many the rule was told of, and since when. */
function held({ slots, busy, most, queueSize = 100 }: Facts): readonly [boolean, unknown] {
  let told: unknown = null;
  const backlog = {
    most,
    mayOpen: (count: number, oldest: number, now: number) => {
      told = [count, oldest, now];
      return count < most;
    },
  };
  const server = { open: slots, busy, backlog, settings: { queueSize }, clock: { now: () => 2_000 } };
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
