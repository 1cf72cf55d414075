/**
 * How many requests a server may have at once before it has shown that it answers. A host that hangs takes whatever it is
 * given, and each of those requests waits for its whole `headersTimeout`: so two are given to a server that nobody has heard of
 * yet, and one to a server that has failed. The first answer lifts the limit.
 */
import type { HealthState } from './health.ts';

export interface Known {
  readonly state: HealthState;
  /** It has answered once. */
  readonly proven: boolean;
  /** See Silence. */
  readonly suspect: boolean;
  /** ms for which it has been silent with requests on it. */
  readonly silence: number;
}

/** Before anybody has answered: a burst waits so long for the first answer, ms. Less than makes a queue a standing one. */
const FIRST_ANSWER = 100;

export function isTrusted({ state, proven, suspect }: Known): boolean {
  return state === 'up' && proven && !suspect;
}

/** Of the servers that come into question one or more are trusted, and one of those has room. */
export function quota(server: Known): number {
  if (isTrusted(server)) return Number.POSITIVE_INFINITY;
  if (server.state === 'failed' || server.state === 'trial') return 1;
  return server.suspect ? 0 : 2;
}

/**
 * Nobody is trusted, and to wait for an answer is no use: there is no other server, or all of them have been silent for a
 * while, as where every page is slow. Then there is no limit.
 */
export function liftsLimit(servers: readonly Known[]): boolean {
  if (servers.length === 1) return true;
  return servers.every((server) => !isTrusted(server) && server.silence >= FIRST_ANSWER);
}

/** None of those that are trusted has room: one more for each doubling of the silence, as it may be no more than a slow script. */
export function quotaWithoutTrusted(server: Known): number {
  return Math.max(quota(server), server.suspect ? 2 : 0) + Math.floor(Math.log2(1 + server.silence / 1000));
}
