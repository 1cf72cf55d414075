/**
 * Is a failed request sent again? The one place that says so.
 * This folder: is a request sent again, and over which connection? Pure. It imports the verdicts of
 * connection/evidence.
 */
import type { Executed } from '../../errors.ts';
import type { RetryPolicy } from '../dispatcher.ts';

export interface FailedAttempt {
  readonly policy: RetryPolicy;
  readonly executed: Executed;
  /** Running it twice does no harm: by its method (RFC 9110, 9.2.2), or because the caller said so. */
  readonly idempotent: boolean;
  /** All of its body can be sent once more. */
  readonly replayable: boolean;
  /** The connection itself was lost; not a timeout, an abort, or an answer that makes no sense. */
  readonly connectionLost: boolean;
  /** The server has said that it has not begun: OVERLOADED and its like. It may say so again and again. */
  readonly refused: boolean;
  /** A kept connection may fail at any time; that says nothing of the server, and costs no try. */
  readonly reused: boolean;
  readonly triesLeft: number;
  /** Too many requests are being sent again already: the server is down, more would not help it up. */
  readonly budgetSpent: boolean;
}

export function retry(failed: FailedAttempt): boolean {
  if (failed.policy === 'never' || failed.executed === 'yes') return false;
  if ((!failed.connectionLost && !failed.refused) || !failed.replayable) return false;
  if (countsAsTry(failed) && (failed.triesLeft <= 0 || failed.budgetSpent)) return false;
  if (failed.executed === 'no') return true;
  return failed.policy === 'always' || (failed.policy === 'idempotent' && failed.idempotent);
}

/** A kept connection may fail at any time, and costs none. */
export function countsAsTry({ reused, refused }: Pick<FailedAttempt, 'reused' | 'refused'>): boolean {
  return !reused || refused;
}

/** RFC 9110, 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * A budget for requests that are sent again after a fresh connection failed: a tenth of what is served, and
 * enough in hand for a restart under load.
 */
export class RetryBudget {
  readonly #most: number;
  #left: number;

  constructor(connections: number) {
    this.#most = 20 + 10 * connections;
    this.#left = this.#most;
  }

  get spent(): boolean {
    return this.#left < 1;
  }

  spend(): void {
    this.#left -= 1;
  }

  served(): void {
    this.#left = Math.min(this.#most, this.#left + 0.1);
  }
}
