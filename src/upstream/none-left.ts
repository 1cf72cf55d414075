/** What a request is told that no server has taken. */
import type { Runtime } from '../connection/runtime.ts';
import { ConnectError, PoolError } from '../errors.ts';
import type { Member } from './member.ts';

/** So many servers are told of one by one. */
const TOLD = 4;

/** All have refused it, again and again; `cause`: the last. */
export function noneLeft(members: readonly Member[], cause: ConnectError): PoolError {
  const asked = members.filter(({ settings }) => !settings.down);
  const told = asked.slice(0, TOLD).map(({ name, health }) => `${name} (${health.why || 'busy'})`);
  const more = asked.length > TOLD ? ` and ${asked.length - TOLD} more` : '';
  const message = `no server took the request: ${told.join(', ')}${more}`;
  return new PoolError('FCGI_ERR_NO_LIVE_UPSTREAM', message, { cause, facts: { hint: cause.hint } });
}

export interface Refusal {
  readonly latest: ConnectError;
  /** ms, by the pool's clock: from then on nobody was let in anywhere. */
  readonly since: number;
}

/** null: some server lets connect, or may. */
export function refusalOfAll(members: readonly Member[]): Refusal | null {
  let since = Number.NEGATIVE_INFINITY;
  let latest: ConnectError | null = null;
  for (const { refusals, settings } of members) {
    if (settings.down) continue;
    if (refusals.latest === null) return null;
    ({ latest } = refusals);
    since = Math.max(since, refusals.since);
  }
  return latest === null ? null : { latest, since };
}

export function allDown(members: readonly Member[]): PoolError {
  const message = `all servers are down by their option: ${members.map(({ name }) => name).join(', ')}`;
  const hint = 'give update() a list with a server that has no `down`';
  return new PoolError('FCGI_ERR_NO_LIVE_UPSTREAM', message, { facts: { hint } });
}

/** For a server that nobody knows where to find: whoever dials it is told why, by an error of his own. */
export function refusing(runtime: Runtime, { code, message, cause, hint }: ConnectError): Runtime {
  const connect = (): Promise<never> =>
    Promise.reject(new ConnectError(code, message, { cause, facts: { hint } }));
  return { ...runtime, connect };
}
