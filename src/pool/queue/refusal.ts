/** The errors of requests that the pool does not let in, or lets wait for too long, and why they wait. */
import { type ConnectError, PoolError } from '../../errors.ts';
import type { Arrival, Overload } from './overload.ts';

const HINT =
  'more is asked than php-fpm can do: see `connections`, `pm.max_children`, and what the scripts wait for: ' +
  'one that calls its own site may wait for this queue';

/** What is known of a server. */
interface Asked {
  readonly name: string;
  readonly learned: { readonly refusal: ConnectError | null };
}

/** Why nobody can connect to any of those that may be asked; null: somebody can, or may. `wanted`: the one that may; '' for any. */
export function refusedBy(servers: readonly Asked[], wanted: string): ConnectError | null {
  let latest: ConnectError | null = null;
  for (const { name, learned } of servers) {
    if (wanted !== '' && name !== wanted) continue;
    if (learned.refusal === null) return null;
    latest = learned.refusal;
  }
  return latest;
}

/** null: it may wait. `full`: so many wait in all, and that is the most. `name`: of the servers, for the message. */
export function refusal(
  overload: Overload,
  arrival: Arrival,
  full: number | null,
  name: string,
  why: ConnectError | null,
): PoolError | null {
  const { queued } = arrival;
  const wait = overload.refuses(arrival);
  if (wait === null && full === null) return null;
  const facts = { retryAfter: secondsOf(wait ?? 0), hint: hintOf(why) };
  if (full !== null) {
    const message = `${full} requests wait already for a connection to ${name}`;
    return new PoolError('FCGI_ERR_QUEUE_FULL', message, { facts });
  }
  const message = `${queued} requests wait already for ${name}, more than it answers in time`;
  return new PoolError('FCGI_ERR_QUEUE_OVERLOAD', message, { facts });
}

/** null: it may be sent at once. `name`: of the servers, for the message. */
export function tooLate(overload: Overload, arrival: Arrival, name: string): PoolError | null {
  const sent = `${arrival.sent} requests have been sent to ${name}`;
  const late = overload.refusesToSend(arrival);
  if (late !== null)
    return overloaded(`${sent}, and it answers so late that most clients leave before`, late);
  const wait = overload.refuses(arrival);
  return wait === null ? null : overloaded(`${sent}, more than it answers in time`, wait);
}

/** null: it may be sent, `age` ms after it was let in. */
export function tooOld(overload: Overload, age: number, name: string, now: number): PoolError | null {
  const wait = overload.isTooOld(now, age);
  if (wait === null) return null;
  const message = `the request has waited for ${Math.round(age)} ms for ${name}, and most clients leave before they are answered so late`;
  return overloaded(message, wait);
}

/** It has waited for `age` ms, `tooLong` of them more than it should, while more comes than is answered. */
export function stale(age: number, tooLong: number, name: string): PoolError {
  const message = `the request has waited for ${Math.round(age)} ms for ${name}, which is asked for more than it answers`;
  return overloaded(message, tooLong);
}

/** `wait`: ms. */
function overloaded(message: string, wait: number): PoolError {
  return new PoolError('FCGI_ERR_QUEUE_OVERLOAD', message, {
    facts: { retryAfter: secondsOf(wait), hint: HINT },
  });
}

/** Retry-After is in seconds (RFC 9110, 10.2.3). */
function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** `timeout`: ms. */
export function waitedTooLong(timeout: number, name: string, why: ConnectError | null): PoolError {
  const message = `no connection to ${name} came free within ${timeout} ms`;
  return new PoolError('FCGI_ERR_QUEUE_TIMEOUT', message, { facts: { hint: hintOf(why) } });
}

/** Where the server is down, nobody has asked too much of it. */
function hintOf(why: ConnectError | null): string {
  return why === null ? HINT : why.hint;
}
