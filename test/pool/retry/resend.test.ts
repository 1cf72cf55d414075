import { describe, expect, it } from 'vitest';
import { type FailureFacts, ProtocolError, SocketError } from '../../../src/errors.ts';
import type { Job } from '../../../src/pool/job.ts';
import { type PoolOptions, resolveOptions } from '../../../src/pool/options.ts';
import { paramFacts } from '../../../src/pool/request/param-facts.ts';
import { mayGoElsewhere, retriesUnknown, shouldResend } from '../../../src/pool/retry/resend.ts';
import { RetryBudget } from '../../../src/pool/retry/retry.ts';

type Changes = Partial<Pick<Job, 'aborted' | 'over' | 'replayable' | 'freshFailures'>>;

/** What the rule reads of a job. */
function jobOf(method: string, changes: Changes = {}, request: Partial<Job['request']> = {}): Job {
  const facts = paramFacts({ params: { REQUEST_METHOD: method } });
  const job: Pick<Job, 'aborted' | 'over' | 'replayable' | 'freshFailures' | 'mayHaveRun' | 'request'> & {
    snapshot: Pick<Job['snapshot'], 'facts'>;
  } = {
    aborted: false,
    over: false,
    replayable: true,
    freshFailures: 0,
    mayHaveRun: false,
    ...changes,
    request,
    snapshot: { facts },
  };
  return job as Job;
}

function lost(facts: Partial<FailureFacts>): SocketError {
  return new SocketError('FCGI_ERR_SOCKET_RESET', 'reset', { facts });
}

const resends = (job: Job, error: unknown, options: PoolOptions = {}): boolean =>
  shouldResend(job, error, resolveOptions(options), new RetryBudget(8));

const recycled = lost({ executed: 'no', reused: true });
const unknown = lost({ executed: 'unknown', reused: true });

describe('is sent again', () => {
  it.each<[string, boolean, Job, unknown, PoolOptions?]>([
    ['what was not executed', true, jobOf('POST'), recycled],
    ['not what its caller wants no more', false, jobOf('POST', { aborted: true }), recycled],
    ['not what is over', false, jobOf('POST', { over: true }), recycled],
    ['not what failed by an error of another kind', false, jobOf('POST'), new Error('reset')],
    ['not what cannot be sent once more', false, jobOf('POST', { replayable: false }), recycled],
    ['not a GET that may have run', false, jobOf('GET'), unknown],
    [
      'a GET that may have run, where idempotent ones are',
      true,
      jobOf('GET'),
      unknown,
      { retry: 'idempotent' },
    ],
    ['not a POST', false, jobOf('POST'), unknown, { retry: 'idempotent' }],
    [
      'a POST that its caller calls idempotent',
      true,
      jobOf('POST', {}, { idempotent: true }),
      unknown,
      { retry: 'idempotent' },
    ],
    ['by the policy of the request', false, jobOf('POST', {}, { retry: 'never' }), recycled],
    ['what was refused', true, jobOf('POST'), refused()],
    [
      'as often as `tries` allows',
      true,
      jobOf('POST', { freshFailures: 1 }),
      lost({ executed: 'no', reused: false }),
      { tries: 3 },
    ],
    [
      'and no more',
      false,
      jobOf('POST', { freshFailures: 2 }),
      lost({ executed: 'no', reused: false }),
      { tries: 3 },
    ],
  ])('%s: %s', (_, expected, job, error, options) => {
    expect(resends(job, error, options)).toBe(expected);
  });
});

function refused(): ProtocolError {
  return new ProtocolError('FCGI_ERR_OVERLOADED', 'overloaded', { facts: { executed: 'no', reused: true } });
}

it('a kept connection that was lost costs no try, a fresh one or a refusal does', () => {
  const costs = [recycled, lost({ executed: 'no', reused: false }), refused()].map((error) => {
    const job = jobOf('POST');
    expect(resends(job, error)).toBe(true);
    return job.freshFailures;
  });
  expect(costs).toEqual([0, 1, 1]);
});

it('what is not sent again costs no try', () => {
  const job = jobOf('POST');
  expect(resends(job, lost({ executed: 'unknown', reused: false }))).toBe(false);
  expect(job.freshFailures).toBe(0);
});

it('a request that is sent again though it may have run is marked, and no other is', () => {
  const marked = [recycled, unknown].map((error) => {
    const job = jobOf('GET');
    expect(resends(job, error, { retry: 'always' })).toBe(true);
    return job.mayHaveRun;
  });
  expect(marked).toEqual([false, true]);
  const job = jobOf('GET');
  resends(job, unknown);
  expect(job.mayHaveRun).toBe(false);
});

it.each([
  ['always', 'POST', true],
  ['idempotent', 'GET', true],
  ['idempotent', 'POST', false],
  ['unexecuted', 'GET', false],
  ['never', 'GET', false],
] as const)('retry: %s: a %s that may have run is sent again anyway: %s', (policy, method, expected) => {
  expect(retriesUnknown(jobOf(method), resolveOptions({ retry: policy }))).toBe(expected);
});

describe('of which nothing was sent yet, another server may have it', () => {
  it.each<[string, boolean, Partial<Job['request']>, PoolOptions['retry']]>([
    ['in general', true, {}, 'unexecuted'],
    ['not where it has asked for this one', false, { server: 'unix:/a' }, 'unexecuted'],
    ['not where nothing is tried again', false, {}, 'never'],
    ['nor where it says so itself', false, { retry: 'never' }, 'unexecuted'],
    ['but where it says otherwise', true, { retry: 'unexecuted' }, 'never'],
    ['not for two reasons', false, { server: 'unix:/a' }, 'never'],
  ])('%s: %s', (_, expected, request, retry = 'unexecuted') => {
    expect(mayGoElsewhere(jobOf('POST', {}, request), { retry })).toBe(expected);
  });
});
