/** From a job that failed to the facts on which `retry` decides. */
import { isRefusal } from '../../connection/evidence/failure.ts';
import { FcgiError, SocketError } from '../../errors.ts';
import type { Job } from '../job.ts';
import type { PoolSettings } from '../options.ts';
import { countsAsTry, isIdempotent, type RetryBudget, retry } from './retry.ts';

/** Is the job sent again? If so, a try and the budget are charged for a fresh connection that failed. */
export function shouldResend(job: Job, error: unknown, settings: PoolSettings, budget: RetryBudget): boolean {
  if (!(error instanceof FcgiError) || job.aborted || job.over) return false;
  const again = retry({
    policy: job.request.retry ?? settings.retry,
    executed: error.executed,
    idempotent: mayRunTwice(job),
    replayable: job.replayable,
    connectionLost: error instanceof SocketError,
    refused: isRefusal(error),
    reused: error.reused,
    triesLeft: settings.tries - 1 - job.freshFailures,
    budgetSpent: budget.spent,
  });
  if (again && error.executed !== 'no') job.mayHaveRun = true;
  if (again && countsAsTry({ reused: error.reused, refused: isRefusal(error) })) {
    job.freshFailures++;
    budget.spend();
  }
  return again;
}

/** It is sent again even where it may have run. */
export function retriesUnknown(job: Job, settings: Pick<PoolSettings, 'retry'>): boolean {
  const policy = job.request.retry ?? settings.retry;
  return policy === 'always' || (policy === 'idempotent' && mayRunTwice(job));
}

/** Another server may have it, as long as nothing of it was sent. */
export function mayGoElsewhere({ request }: Job, settings: Pick<PoolSettings, 'retry'>): boolean {
  return request.server === undefined && (request.retry ?? settings.retry) !== 'never';
}

export function mayRunTwice({ request, snapshot }: Job): boolean {
  return request.idempotent ?? isIdempotent(snapshot.facts.method);
}
