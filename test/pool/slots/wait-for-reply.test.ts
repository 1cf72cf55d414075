import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/connection/clock.ts';
import { IdleCheck } from '../../../src/connection/idle-check.ts';
import { Slot } from '../../../src/pool/slots/slot.ts';
import { ReplyWaits } from '../../../src/pool/slots/wait-for-reply.ts';

interface Arrived {
  readonly name: string;
  readonly queuedAt: number;
  over: boolean;
}

function arrived(name: string, queuedAt: number): Arrived {
  return { name, queuedAt, over: false };
}

/** Jobs that wait, what becomes of them, and the timers that run. */
function stage() {
  const timers: { readonly ms: number; strike: () => void }[] = [];
  const clock = {
    after: (ms: number, strike: () => void) => {
      const timer = { ms, strike };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  } as unknown as Clock;
  const told: string[] = [];
  const waits = new ReplyWaits<Arrived>(clock, {
    inTime: (_, { name }) => told.push(`${name} in time`),
    late: ({ name }) => told.push(`${name} late`),
    over: () => told.push('over'),
  });
  const wait = (job: Arrived): { readonly slot: Slot; readonly check: IdleCheck } => {
    const check = new IdleCheck();
    check.begin(1_000, false, () => {});
    const slot = new Slot();
    slot.job = { exchange: null, startedAt: job.queuedAt, abandoned: null };
    waits.wait(slot, job, check);
    return { slot, check };
  };
  return { waits, wait, told, timers };
}

describe('a job that waits for the reply of a worker', () => {
  it('has the slot once it is there', () => {
    const { waits, wait, told, timers } = stage();
    const { check } = wait(arrived('a', 1));
    check.answer(new Map());
    expect([told, timers, waits.takeFirst(2)]).toEqual([['a in time'], [], null]);
  });

  it('goes elsewhere after 75 ms; the slot has no job then, its reply is known to be late, and it is free once that is there', () => {
    const { waits, wait, told, timers } = stage();
    const { slot, check } = wait(arrived('a', 1));
    expect([timers[0]?.ms, check.isLate]).toEqual([75, false]);
    timers[0]?.strike();
    expect([told, slot.job, check.isLate, waits.takeFirst(2)]).toEqual([['a late'], null, true, null]);
    check.answer(new Map());
    expect(told).toEqual(['a late', 'over']);
  });

  it('waits no more for the sake of one that came later: nothing is heard of its wait, and its slot has no job', () => {
    const { waits, wait, told, timers } = stage();
    const a = arrived('a', 1);
    const { slot, check } = wait(a);
    expect(waits.takeFirst(2)).toMatchObject({ slot, job: a });
    expect([slot.job, timers, waits.takeFirst(2)]).toEqual([null, [], null]);
    const later = arrived('later', 2);
    waits.wait(slot, later, check);
    check.answer(new Map());
    expect(told).toEqual(['later in time']);
  });

  it('goes in front of those that came later and wait as well', () => {
    const { waits, wait } = stage();
    const a = arrived('a', 1);
    wait(a);
    wait(arrived('b', 2));
    expect(waits.takeFirst(3)?.job).toBe(a);
  });

  it.each<[string, number, boolean, boolean]>([
    ['that came later', 1, false, false],
    ['that came in the same moment', 2, false, false],
    ['whose caller has left', 3, true, false],
    ['whose reply is just being dealt with', 3, false, true],
  ])('stays where it is for one %s', (_, queuedAt, hasLeft, isSettling) => {
    const { waits, wait } = stage();
    const job = { ...arrived('a', 2), over: hasLeft };
    if (!isSettling) {
      wait(job);
      expect(waits.takeFirst(queuedAt)).toBeNull();
      return;
    }
    let taken: unknown = 'not asked';
    const slot = new Slot();
    const settling = new IdleCheck();
    settling.begin(1_000, false, () => {
      taken = waits.takeFirst(queuedAt);
    });
    waits.wait(slot, job, settling);
    settling.answer(new Map());
    expect(taken).toBeNull();
  });
});
