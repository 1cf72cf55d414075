import { describe, expect, it } from 'vitest';
import { DelayedAcks } from '../../../src/pool/learned/delayed-acks.ts';
import { randomFrom } from '../../sim/time.ts';

const CONNECT = 0.1;
const PAUSE = 10_000;

interface Pages {
  readonly count: number;
  readonly stillFor?: number;
  readonly isLong?: boolean;
  readonly now?: number;
}

function kept(acks: DelayedAcks, { count, stillFor = 0, isLong = true, now = 0 }: Pages): void {
  for (let i = 0; i < count; i++) acks.answered({ mayWaitForAck: true, isLong, stillFor }, CONNECT, now);
}

function fresh(acks: DelayedAcks, { count, stillFor = 0, isLong = true }: Pages): void {
  for (let i = 0; i < count; i++) acks.answered({ mayWaitForAck: false, isLong, stillFor }, CONNECT, 0);
}

/** Two new connections did well, and all responses on kept ones stand still for 44 ms. */
function delayed(now = 0): DelayedAcks {
  const acks = new DelayedAcks();
  fresh(acks, { count: 2 });
  kept(acks, { count: 4, stillFor: 44, now });
  return acks;
}

describe('nothing is kept', () => {
  it('where four responses in a row have stood still on kept connections', () => {
    const acks = new DelayedAcks();
    fresh(acks, { count: 2 });
    kept(acks, { count: 3, stillFor: 44 });
    expect(acks.isCostly).toBe(false);
    kept(acks, { count: 1, stillFor: 44 });
    expect(acks.isCostly).toBe(true);
  });

  it('where they do three times as often as on new ones', () => {
    const often = new DelayedAcks();
    fresh(often, { count: 14 });
    for (let i = 0; i < 4; i++) {
      kept(often, { count: 9 });
      kept(often, { count: 1, stillFor: 44 });
    }
    // Half of one of 15 at the most, against 4 of 40.
    expect(often.isCostly).toBe(true);
    const seldom = new DelayedAcks();
    fresh(seldom, { count: 13 });
    for (let i = 0; i < 4; i++) {
      kept(seldom, { count: 9 });
      kept(seldom, { count: 1, stillFor: 44 });
    }
    expect(seldom.isCostly).toBe(false);
  });

  it('for 10 s, and where it is no better then for 20, 40, and at last 600', () => {
    const acks = delayed();
    let now = 0;
    for (const pause of [10, 20, 40, 80, 160, 320, 600, 600].map((s) => s * 1_000)) {
      acks.onTick(now + pause - 1);
      expect(acks.isCostly).toBe(true);
      now += pause;
      acks.onTick(now);
      expect(acks.isCostly).toBe(false);
      kept(acks, { count: 4, stillFor: 44, now });
      expect(acks.isCostly).toBe(true);
    }
  });

  it('for 10 s again once 64 long responses came well', () => {
    const acks = delayed();
    acks.onTick(PAUSE);
    kept(acks, { count: 64 });
    fresh(acks, { count: 100 });
    kept(acks, { count: 30, stillFor: 44, now: PAUSE });
    expect(acks.isCostly).toBe(true);
    acks.onTick(2 * PAUSE);
    expect(acks.isCostly).toBe(false);
  });
});

describe('what was a chance is not believed for long', () => {
  /** Of 40 kept connections 4 stood still, of 29 new ones none. */
  function guessed(): DelayedAcks {
    const acks = new DelayedAcks();
    fresh(acks, { count: 29 });
    for (let i = 0; i < 4; i++) {
      kept(acks, { count: 9 });
      kept(acks, { count: 1, stillFor: 44 });
    }
    expect(acks.isCostly).toBe(true);
    return acks;
  }

  it('connections are kept again as soon as responses are seen to stand still on new ones as well', () => {
    const acks = guessed();
    fresh(acks, { count: 10 });
    fresh(acks, { count: 1, stillFor: 44 });
    expect(acks.isCostly).toBe(true);
    fresh(acks, { count: 1, stillFor: 44 });
    expect(acks.isCostly).toBe(false);
  });

  it('but not where they do so far less often', () => {
    const acks = guessed();
    for (let i = 0; i < 100; i++) {
      fresh(acks, { count: 99 });
      fresh(acks, { count: 1, stillFor: 44 });
      expect(acks.isCostly).toBe(true);
    }
  });

  it('as all of what made it so is remembered meanwhile', () => {
    const acks = new DelayedAcks();
    fresh(acks, { count: 60 });
    kept(acks, { count: 60 });
    kept(acks, { count: 4, stillFor: 44 });
    fresh(acks, { count: 1, stillFor: 44 });
    expect(acks.isCostly).toBe(true);
  });

  it('and what was on its way over kept connections does not shorten the next pause', () => {
    const acks = delayed();
    kept(acks, { count: 200, stillFor: 44 });
    acks.onTick(PAUSE);
    kept(acks, { count: 4, stillFor: 44, now: PAUSE });
    acks.onTick(3 * PAUSE - 1);
    expect(acks.isCostly).toBe(true);
  });

  it('where one of 25 pages pauses on any connection, connections are kept nearly always', () => {
    const random = randomFrom(1);
    const acks = new DelayedAcks();
    let costly = 0;
    for (let now = 0; now < 600_000; now++) {
      acks.onTick(now);
      if (acks.isCostly) costly++;
      const mayWaitForAck = !acks.isCostly && random() < 0.97;
      const stillFor = random() < 0.04 ? 100 : 0;
      acks.answered({ mayWaitForAck, isLong: true, stillFor }, CONNECT, now);
    }
    expect(costly / 600_000).toBeLessThan(0.02);
  });
});

describe('connections are kept', () => {
  it('where responses stand still on new ones as well: the scripts pause', () => {
    const acks = new DelayedAcks();
    for (let i = 0; i < 100; i++) {
      fresh(acks, { count: 1, stillFor: 100 });
      kept(acks, { count: 9, stillFor: 100 });
    }
    expect(acks.isCostly).toBe(false);
  });

  it('where there is nothing to compare with', () => {
    const acks = new DelayedAcks();
    kept(acks, { count: 100, stillFor: 44 });
    expect(acks.isCostly).toBe(false);
    fresh(acks, { count: 100, isLong: false });
    kept(acks, { count: 1, stillFor: 44 });
    expect(acks.isCostly).toBe(false);
  });

  it('where a piece is late by less than any kernel puts an acknowledgement off', () => {
    const acks = new DelayedAcks();
    fresh(acks, { count: 100 });
    kept(acks, { count: 100, stillFor: 29 });
    expect(acks.isCostly).toBe(false);
    kept(acks, { count: 64, stillFor: 30 });
    expect(acks.isCostly).toBe(true);
  });

  it('where connecting takes longer than is lost', () => {
    const far = new DelayedAcks();
    fresh(far, { count: 4 });
    // 0.9 times 40 ms, against 1.5 times 24.
    for (let i = 0; i < 9; i++) far.answered({ mayWaitForAck: true, isLong: true, stillFor: 70 }, 24, 0);
    expect(far.isCostly).toBe(false);
    far.answered({ mayWaitForAck: true, isLong: true, stillFor: 70 }, 23, 0);
    expect(far.isCostly).toBe(true);
  });

  it('where long responses are so few that a connect for each request costs more', () => {
    const acks = new DelayedAcks();
    fresh(acks, { count: 50 });
    for (let i = 0; i < 20; i++) {
      kept(acks, { count: 399, isLong: false });
      kept(acks, { count: 1, stillFor: 44 });
    }
    expect(acks.isCostly).toBe(false);
  });
});

it('what was long ago does not count: half of what is known is forgotten with every 64 long responses', () => {
  const acks = new DelayedAcks();
  fresh(acks, { count: 64, stillFor: 44 });
  for (let i = 0; i < 6; i++) fresh(acks, { count: 64 });
  kept(acks, { count: 4, stillFor: 44 });
  expect(acks.isCostly).toBe(true);
});

it('with the 64th long response half is forgotten, not with the one after it', () => {
  const acks = new DelayedAcks();
  fresh(acks, { count: 1_000 });
  kept(acks, { count: 61 });
  kept(acks, { count: 4, stillFor: 44 });
  expect(acks.isCostly).toBe(false);
  kept(acks, { count: 2, stillFor: 44 });
  expect(acks.isCostly).toBe(true);
});
