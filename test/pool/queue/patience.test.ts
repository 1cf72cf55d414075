import { describe, expect, it } from 'vitest';
import { Patience } from '../../../src/pool/queue/patience.ts';

const LEAST = 1_000;

interface Overloaded {
  /** ms after which each client leaves that does. */
  readonly after: readonly number[];
  /** Answers between two of them. */
  readonly answered?: number;
  /** Their scripts run; else they wait in the queue. */
  readonly isSent?: boolean;
  readonly from?: number;
}

/** One client after the other has come `after` ms ago, and leaves now; returns the time. */
function leave(
  patience: Patience,
  { after, answered = 0, isSent = true, from = 10_000 }: Overloaded,
): number {
  let now = from;
  for (const age of after) {
    now += 100;
    for (let i = 0; i < answered; i++) patience.answered(now, 1_500);
    patience.left(now, age, isSent, LEAST);
  }
  return now;
}

/** What was learned from clients who stay for 2 s, `since` ms ago. */
function believed(longest: number, since: number): number {
  return longest * 2 ** (since / 80_000);
}

/** In a row they are half of what is remembered: (15/16)^11 < 1/2. */
const ENOUGH = Array<number>(11).fill(2_000);
const many = (age: number): number[] => Array<number>(20).fill(age);

describe('how long clients stay is learned', () => {
  it('from those who left, where half of the scripts are for nobody', () => {
    const patience = new Patience();
    const now = leave(patience, { after: ENOUGH });
    expect(patience.longest(now)).toBe(1_600);
  });

  it('from the quarter that left first', () => {
    const patience = new Patience();
    const ages = [5_000, 2_000, 5_000, 5_000, 2_500, 5_000, 5_000, 3_000, 5_000, 5_000, 5_000];
    expect(patience.longest(leave(patience, { after: ages }))).toBe(0.8 * 3_000);
  });

  it('from 64 of them at the most, the first of those included', () => {
    const patience = new Patience();
    const ages = Array.from({ length: 64 }, (_, i) => 6_400 - 100 * i);
    // Who waits in the queue runs no script for nobody: it is learned with the last.
    leave(patience, { after: ages.slice(0, 53), isSent: false, from: 100_000 });
    const now = leave(patience, { after: ages.slice(53), from: 110_000 });
    expect(patience.longest(now)).toBe(0.8 * 1_700);
  });

  it('from the latest 64: a pool of which no worker is ever idle does not gather those of a whole day', () => {
    const patience = new Patience();
    leave(patience, { after: Array<number>(1_000).fill(1_200), answered: 4 });
    const now = leave(patience, { after: Array<number>(64).fill(5_000), answered: 4, from: 200_000 });
    expect(patience.longest(now)).toBe(Number.POSITIVE_INFINITY);
    const later = leave(patience, { after: Array<number>(11).fill(5_000), from: now });
    expect(patience.longest(later)).toBeCloseTo(0.8 * 5_000, -2);
  });

  it('anew, and shorter, where a quarter of those who were let in since then leave all the same', () => {
    const patience = new Patience();
    const now = leave(patience, { after: ENOUGH });
    // The first of them was let in at the very moment of the lesson.
    const later = leave(patience, { after: Array<number>(5).fill(1_900), from: now + 1_800 });
    expect(patience.longest(later)).toBeCloseTo(0.8 * believed(1_600, later - now));
    const few = new Patience();
    const soon = leave(few, { after: ENOUGH });
    const end = leave(few, { after: Array<number>(4).fill(1_900), from: soon + 1_800 });
    expect(few.longest(end)).toBeCloseTo(believed(1_600, end - soon));
  });

  it('not anew where most are answered, be it one that was let in at the moment of the lesson', () => {
    const patience = new Patience();
    const now = leave(patience, { after: ENOUGH });
    // Five in a row make 0.28 of sixteen; with four answers between them it is 0.24.
    for (const age of [1_900, 1_900, 1_900]) patience.left(now + 1_900, age, true, LEAST);
    for (let i = 0; i < 4; i++) patience.answered(now + 2_000, 2_000);
    patience.left(now + 2_000, 2_000, true, LEAST);
    patience.left(now + 2_000, 2_000, true, LEAST);
    expect(patience.longest(now + 2_000)).toBeCloseTo(believed(1_600, 2_000));
  });

  it('not anew from those who were let in before', () => {
    const patience = new Patience();
    const now = leave(patience, { after: ENOUGH });
    const later = leave(patience, { after: many(2_500), from: now });
    expect(patience.longest(later)).toBeCloseTo(believed(1_600, later - now));
  });
});

it('an answer to one who was let in before says nothing of those who were since', () => {
  const patience = new Patience();
  const now = leave(patience, { after: ENOUGH });
  const later = now + 1_900;
  for (let i = 0; i < 4; i++) patience.left(later, 1_900, true, LEAST);
  for (let i = 0; i < 4; i++) patience.answered(later, 1_901);
  expect(patience.longest(later)).toBeCloseTo(believed(1_600, 1_900));
  patience.left(later, 1_900, true, LEAST);
  expect(patience.longest(later)).toBeCloseTo(0.8 * believed(1_600, 1_900));
});

describe('nothing is learned', () => {
  const learned = (overloaded: Overloaded): number => {
    const patience = new Patience();
    return patience.longest(leave(patience, overloaded));
  };

  it('from a few who leave while most are answered', () => {
    expect(learned({ after: many(2_000), answered: 2 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('from those who leave the queue: no worker runs a script for them', () => {
    expect(learned({ after: many(2_000), isSent: false })).toBe(Number.POSITIVE_INFINITY);
  });

  it('from those who would not wait for the quickest page either', () => {
    expect(learned({ after: many(999) })).toBe(Number.POSITIVE_INFINITY);
    expect(learned({ after: Array<number>(11).fill(1_000) })).toBe(800);
  });

  it('where a worker was idle: nobody has to wait there', () => {
    const patience = new Patience();
    for (let i = 0; i < 100; i++) {
      leave(patience, { after: [2_000, 2_000] });
      patience.idle();
    }
    expect(patience.longest(10_200)).toBe(Number.POSITIVE_INFINITY);
  });
});

it('is believed less and less, and forgotten once it has doubled', () => {
  const patience = new Patience();
  const now = leave(patience, { after: ENOUGH });
  expect(patience.longest(now + 80_000)).toBeCloseTo(3_200);
  expect(patience.longest(now + 105_000)).toBeLessThan(4_000);
  expect(patience.longest(now + 106_000)).toBe(Number.POSITIVE_INFINITY);
});

it('is still known behind a moment in which a worker was idle: the next wave of clients is as patient', () => {
  const patience = new Patience();
  const now = leave(patience, { after: ENOUGH });
  patience.idle();
  expect(patience.longest(now)).toBe(1_600);
});
