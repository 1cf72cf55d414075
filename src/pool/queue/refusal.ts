/** The error of a request that the pool does not let in. */
import { PoolError } from '../../errors.ts';
import type { Arrival, Overload } from './overload.ts';

const HINT = 'more is asked than php-fpm can do: see `pm.max_children`, and what the scripts wait for';

/** null: it may wait. `full`: so many wait in all, and that is the most. `name`: of the servers, for the message. */
export function refusal(
  overload: Overload,
  arrival: Arrival,
  full: number | null,
  name: string,
): PoolError | null {
  const { queued } = arrival;
  const wait = overload.refuses(arrival);
  // Retry-After is in seconds (RFC 9110, 10.2.3).
  const retryAfter = Math.max(1, Math.ceil((wait ?? 0) / 1_000));
  if (full !== null) {
    const message = `${full} requests wait already for a connection to ${name}`;
    return new PoolError('FCGI_ERR_QUEUE_FULL', message, { facts: { retryAfter } });
  }
  if (wait === null) return null;
  const message = `${queued} requests wait already for ${name}, more than it answers in time`;
  return new PoolError('FCGI_ERR_QUEUE_OVERLOAD', message, { facts: { retryAfter, hint: HINT } });
}
