/**
 * How many requests a server may have at once before it has shown that it answers. A host that hangs takes whatever it is
 * given, and each of those requests waits for its whole `headersTimeout`: so two are given to a server that nobody has heard of
 * since it last had nothing to do, and one to a server that has failed. The first answer lifts the limit.
 */
import type { HealthState } from './health.ts';

export interface HealthFacts {
  readonly state: HealthState;
  /** It has answered a request, ever. */
  readonly known: boolean;
  /** It is known, and has answered or said that it is there since it last had nothing to do. */
  readonly proven: boolean;
  /** See Silence. */
  readonly suspect: boolean;
  /** ms for which it has been silent with requests on it. */
  readonly silence: number;
  /** How often it has said in this silence that it is there. null: it is no server that could be asked. */
  readonly signs: number | null;
  /** It has said so before anybody had answered. */
  readonly isThere: boolean;
  /** ms; 0: none. */
  readonly headersTimeout: number;
}

/**
 * Before anybody has answered: a burst waits so long for the first answer, ms, but no longer than half of `headersTimeout`: where all
 * hang, they must not do so two by two.
 */
const FIRST_ANSWER = 1_000;
/** ms of silence after which one more may be given to a server that is there, while others answer; doubled for each of them. */
const SLOW_AFTER = 1_000;
/** The same, where it has never answered a request: its scripts may hang. */
const NEW_SLOW_AFTER = 5_000;

export function isTrusted({ state, proven, suspect }: HealthFacts): boolean {
  return state === 'up' && proven && !suspect;
}

/** Of the servers that come into question one or more are trusted, and one of those has room. */
export function quota(server: HealthFacts): number {
  if (isTrusted(server)) return Number.POSITIVE_INFINITY;
  if (server.state === 'failed' || server.state === 'trial') return 1;
  return server.suspect ? 0 : 2;
}

/** It has requests, and has shown nothing for so long that it may hang, or every page is slow. */
export function isSilent(server: HealthFacts): boolean {
  return !isTrusted(server) && server.silence >= firstAnswer(server);
}

/**
 * Nobody is trusted, and to wait for an answer is no use: there is no other server, or all of them have been silent for a
 * while, as where every page is slow. Then there is no limit. `hasBackups`: there are others, for when these are silent.
 */
export function liftsLimit(servers: readonly HealthFacts[], hasBackups: boolean): boolean {
  if (hasBackups) return false;
  return servers.length === 1 || servers.every(isSilent);
}

/**
 * None of those that are trusted has room: one more for each doubling of the silence, as it may be no more than a slow script. One that
 * can be asked, as php-fpm can, must have said that it is there; of others, one that has never answered at all gets no more than two.
 */
export function quotaWithoutTrusted(server: HealthFacts): number {
  const { suspect, proven, silence, signs } = server;
  const most = Math.max(quota(server), suspect ? 2 : 0);
  return most + (signs ?? (proven ? Math.floor(Math.log2(1 + silence / SLOW_AFTER)) : 0));
}

/** Requests wait, and it is time to ask a server that leaves its own unanswered whether it is there. */
export function isQueryDue(server: HealthFacts, isOtherTrusted: boolean): boolean {
  const { silence, signs, known, isThere } = server;
  if (signs === null || isTrusted(server)) return false;
  if (!known && !isOtherTrusted) return !isThere && silence >= firstAnswer(server) / 2;
  return silence >= (known ? SLOW_AFTER : NEW_SLOW_AFTER) * (2 ** (signs + 1) - 1);
}

/** Nobody has answered a request yet for so long that every page may be slow: it is taken to be well, if it is there. */
export function isTakenForWell(server: HealthFacts): boolean {
  return server.isThere && server.silence >= firstAnswer(server);
}

function firstAnswer({ headersTimeout }: HealthFacts): number {
  return headersTimeout === 0 ? FIRST_ANSWER : Math.min(FIRST_ANSWER, headersTimeout / 2);
}
