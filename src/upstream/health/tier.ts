/** Which servers are asked at all, with room or without: a request that only has to wait is no case for a backup. */
import type { HealthState } from './health.ts';

/** A server as this choice sees it. */
export interface Ranked {
  readonly backup: boolean;
  readonly state: HealthState;
  /** ms: it is left alone up to then. */
  readonly until: number;
  /** It has requests, and has shown nothing for so long that it may hang. */
  readonly isSilent: boolean;
}

/**
 * The first of these that is not empty: servers that are up, or on trial; backups that are; those that are only busy; all.
 * Never more than half of them are left alone (the panic rule, as Envoy has it): where more have failed, a common cause is
 * likelier, and the rest would have to carry everything. Of those the ones that were left alone longest are asked again,
 * one request at a time. That does not hold where a backup is up: it is there for this. And beside servers that are all silent, or on trial.
 */
export function tier<S extends Ranked>(servers: readonly S[]): readonly S[] {
  const primaries = servers.filter(({ backup }) => !backup);
  const up = primaries.filter(isUp);
  const backups = servers.filter((server) => server.backup && isUp(server));
  if (up.length > 0 && up.every(mayHang)) return [...up, ...backups];
  if (up.length > 0) return [...up, ...retained(primaries)];
  if (backups.length > 0) return backups;
  const busy = servers.filter(({ state }) => state === 'busy');
  return busy.length > 0 ? busy : servers;
}

function isUp({ state }: Ranked): boolean {
  return state === 'up' || state === 'trial';
}

function mayHang({ state, isSilent }: Ranked): boolean {
  return isSilent || state === 'trial';
}

function retained<S extends Ranked>(servers: readonly S[]): S[] {
  const failed = servers.filter(({ state }) => state === 'failed');
  const tooMany = failed.length - Math.floor(servers.length / 2);
  if (tooMany <= 0) return [];
  return failed.sort((a, b) => a.until - b.until).slice(0, tooMany);
}
