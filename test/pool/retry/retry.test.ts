import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FailedAttempt, isIdempotent, RetryBudget, retry } from '../../../src/pool/retry/retry.ts';

/** The everyday case: the kept connection was recycled, PHP never saw the request. */
const recycled: FailedAttempt = {
  policy: 'unexecuted',
  executed: 'no',
  idempotent: false,
  replayable: true,
  connectionLost: true,
  refused: false,
  reused: true,
  triesLeft: 4,
  budgetSpent: false,
};
const unknown: FailedAttempt = { ...recycled, executed: 'unknown' };

describe('which policy sends what again', () => {
  it.each<[FailedAttempt['policy'], FailedAttempt['executed'], boolean, boolean]>([
    ['never', 'no', true, false],
    ['never', 'unknown', true, false],
    ['unexecuted', 'no', false, true],
    ['unexecuted', 'no', true, true],
    ['unexecuted', 'unknown', false, false],
    ['unexecuted', 'unknown', true, false],
    ['idempotent', 'no', false, true],
    ['idempotent', 'unknown', false, false],
    ['idempotent', 'unknown', true, true],
    ['always', 'no', false, true],
    ['always', 'unknown', false, true],
  ])('%s, executed: %s, idempotent: %s => %s', (policy, executed, idempotent, again) => {
    expect(retry({ ...recycled, policy, executed, idempotent })).toBe(again);
  });
});

it('a kept connection that fails costs no try and no budget', () => {
  expect(retry({ ...recycled, triesLeft: 0, budgetSpent: true })).toBe(true);
});

it('a request that the server refused is sent again, and costs a try even where the connection was kept', () => {
  const refused: FailedAttempt = { ...recycled, connectionLost: false, refused: true };
  expect(retry(refused)).toBe(true);
  expect(retry({ ...refused, triesLeft: 0 })).toBe(false);
  expect(retry({ ...refused, budgetSpent: true })).toBe(false);
  expect(retry({ ...refused, executed: 'unknown' })).toBe(false);
  expect(retry({ ...refused, executed: 'yes', policy: 'always' })).toBe(false);
});

it('fresh connections that fail are limited by the tries of the request and the budget of the pool', () => {
  expect(retry({ ...recycled, reused: false })).toBe(true);
  expect(retry({ ...recycled, reused: false, triesLeft: 0 })).toBe(false);
  expect(retry({ ...recycled, reused: false, budgetSpent: true })).toBe(false);
});

it('a body that is gone cannot be sent again', () => {
  expect(retry({ ...recycled, replayable: false })).toBe(false);
});

it('a timeout, an abort or an answer that makes no sense is not a lost connection', () => {
  expect(retry({ ...unknown, policy: 'always', connectionLost: false })).toBe(false);
});

describe('whatever failed', () => {
  const anyFailed = fc.record<FailedAttempt>({
    policy: fc.constantFrom('never', 'unexecuted', 'idempotent', 'always'),
    executed: fc.constantFrom('no', 'unknown', 'yes'),
    idempotent: fc.boolean(),
    replayable: fc.boolean(),
    connectionLost: fc.boolean(),
    refused: fc.boolean(),
    reused: fc.boolean(),
    triesLeft: fc.integer({ min: 0, max: 3 }),
    budgetSpent: fc.boolean(),
  });
  const holds = (law: (failed: FailedAttempt) => boolean): void =>
    fc.assert(fc.property(anyFailed, law), { numRuns: 2_000 });

  it('what was seen to run is never sent again', () => {
    holds((failed) => failed.executed !== 'yes' || !retry(failed));
  });

  it('by default nothing that may have run is sent again', () => {
    holds((failed) => failed.policy !== 'unexecuted' || !retry(failed) || failed.executed === 'no');
  });

  it('never means never', () => {
    holds((failed) => failed.policy !== 'never' || !retry(failed));
  });
});

it.each([
  ['GET', true],
  ['HEAD', true],
  ['OPTIONS', true],
  ['TRACE', true],
  ['PUT', true],
  ['DELETE', true],
  ['POST', false],
  ['PATCH', false],
  ['CONNECT', false],
  ['get', false],
  ['', false],
])('RFC 9110, 9.2.2: %s is idempotent: %s', (method, idempotent) => {
  expect(isIdempotent(method)).toBe(idempotent);
});

describe('the budget', () => {
  it('is spent by a storm and comes back with what is served', () => {
    const budget = new RetryBudget(1);
    let spent = 0;
    for (; !budget.spent; spent++) budget.spend();
    expect(spent).toBeGreaterThanOrEqual(10);
    for (let i = 0; i < 20; i++) budget.served();
    expect(budget.spent).toBe(false);
  });

  it.each([
    [1, 30],
    [8, 100],
  ])('is larger with more connections, %i: %i', (connections, expected) => {
    const budget = new RetryBudget(connections);
    let spent = 0;
    for (; !budget.spent; spent++) budget.spend();
    expect(spent).toBe(expected);
  });

  it('is one more for ten that were served, and is spent at the last one', () => {
    const budget = new RetryBudget(1);
    let spent = 0;
    for (; !budget.spent; spent++) budget.spend();
    expect(spent).toBe(30);
    for (let i = 0; i < 25; i++) budget.served();
    budget.spend();
    expect(budget.spent).toBe(false);
    budget.spend();
    expect(budget.spent).toBe(true);
  });

  it('does not grow beyond its start, however much is served', () => {
    const used = new RetryBudget(1);
    const fresh = new RetryBudget(1);
    for (let i = 0; i < 10_000; i++) used.served();
    const count = (budget: RetryBudget): number => {
      let spent = 0;
      for (; !budget.spent; spent++) budget.spend();
      return spent;
    };
    expect(count(used)).toBe(count(fresh));
  });
});
