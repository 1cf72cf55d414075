/** Where does a request go that has failed on one of several servers? The one place that says so. */
import type { Executed } from '../errors.ts';
import type { RetryPolicy } from '../pool/dispatcher.ts';
import type { FailureKind } from './health/failure.ts';

export interface FailedAttempt {
  readonly policy: RetryPolicy;
  readonly executed: Executed;
  /** Running it twice does no harm. */
  readonly idempotent: boolean;
  /** All of its body can be sent once more. */
  readonly replayable: boolean;
  /** No connection came about. */
  readonly notConnected: boolean;
  /** A kept connection failed. */
  readonly reused: boolean;
  readonly kind: FailureKind;
  /** The failure counts against the server. */
  readonly counts: boolean;
  /** The server is used still: not taken out of the list, nor left alone. */
  readonly usable: boolean;
  /** Another server that may be asked has not failed the request yet. */
  readonly othersLeft: boolean;
  readonly triesLeft: number;
  /** Too many are sent again already, or it is too late. */
  readonly budgetSpent: boolean;
}

export type FailoverTarget =
  /** Once more to the same server, if its own rules let it. */
  | 'here'
  /** To another one, or round again where none is left. */
  | 'elsewhere'
  /** It is over. */
  | 'nowhere';

export function failover(failed: FailedAttempt): FailoverTarget {
  if (failed.policy === 'never' || failed.executed === 'yes' || !failed.replayable) return 'nowhere';
  // It costs nothing, and proves that it has not run: it may go round for as long as connectTimeout lets it.
  if (failed.notConnected) return 'elsewhere';
  const lost = failed.kind === 'died' || failed.kind === 'busy' || failed.kind === 'none';
  if (failed.executed === 'no') {
    // A recycled worker: a fresh connection to the same server will do, and keeps its place.
    if (failed.reused && failed.kind === 'none' && failed.usable) return 'here';
    if (failed.triesLeft <= 0) return 'nowhere';
    return failed.othersLeft ? 'elsewhere' : 'here';
  }
  if (failed.policy !== 'always' && !(failed.policy === 'idempotent' && failed.idempotent)) return 'nowhere';
  if (failed.triesLeft <= 0 || failed.budgetSpent) return 'nowhere';
  // A script that is slow here, where others are answered, is slow everywhere: to run it once more on each server helps nobody.
  if (!lost && !failed.counts) return 'nowhere';
  if (failed.othersLeft) return 'elsewhere';
  return lost ? 'here' : 'nowhere';
}
