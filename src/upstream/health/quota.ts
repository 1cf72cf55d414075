/**
 * How many requests a server may have at once before it has shown that it answers. A host that hangs takes whatever it is
 * given, and each of those requests waits for its whole `headersTimeout`: so two are given to a server that nobody has heard of
 * yet, and one to a server that has failed. The first answer lifts the limit.
 */
import type { HealthState } from './health.ts';

export interface HealthFacts {
  readonly state: HealthState;
  /** It has answered once. */
  readonly proven: boolean;
  /** See Silence. */
  readonly suspect: boolean;
  /** ms for which it has been silent with requests on it. */
  readonly silence: number;
  /** How often it has said in this silence that it is there. null: it is no server that could be asked. */
  readonly signs: number | null;
}

/** Before anybody has answered: a burst waits so long for the first answer, ms. Less than makes a queue a standing one. */
const FIRST_ANSWER = 400;
/** Before that, a server is asked whether it is there, ms: that long the first answer of one that is well may take. */
const ASK_AFTER = 100;
/** ms of silence after which one more may be given to a server that is there, while others answer; doubled for each of them. */
const SLOW_AFTER = 1_000;

export function isTrusted({ state, proven, suspect }: HealthFacts): boolean {
  return state === 'up' && proven && !suspect;
}

/** Of the servers that come into question one or more are trusted, and one of those has room. */
export function quota(server: HealthFacts): number {
  if (isTrusted(server)) return Number.POSITIVE_INFINITY;
  if (server.state === 'failed' || server.state === 'trial') return 1;
  return server.suspect ? 0 : 2;
}

/**
 * Nobody is trusted, and to wait for an answer is no use: there is no other server, or all of them have been silent for a
 * while, as where every page is slow. Then there is no limit.
 */
export function liftsLimit(servers: readonly HealthFacts[]): boolean {
  if (servers.length === 1) return true;
  return servers.every((server) => !isTrusted(server) && server.silence >= FIRST_ANSWER);
}

/**
 * None of those that are trusted has room: one more for each doubling of the silence, as it may be no more than a slow script. One that
 * can be asked, as php-fpm can, must have said that it is there; who has never answered at all gets no more than two.
 */
export function quotaWithoutTrusted(server: HealthFacts): number {
  const { suspect, proven, silence, signs } = server;
  const most = Math.max(quota(server), suspect ? 2 : 0);
  return most + (signs ?? (proven ? Math.floor(Math.log2(1 + silence / SLOW_AFTER)) : 0));
}

/** Requests wait, and it is time to ask a server that leaves its own unanswered whether it is there. */
export function isQueryDue(server: HealthFacts, isOtherTrusted: boolean): boolean {
  const { silence, signs, proven } = server;
  if (signs === null || isTrusted(server)) return false;
  if (!proven && !isOtherTrusted) return silence >= ASK_AFTER;
  return silence >= SLOW_AFTER * (2 ** (signs + 1) - 1);
}
