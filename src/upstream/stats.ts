/** What an Upstream tells of itself and of each of its servers. */
import { type ConnectionStats, connectionStats, type Stats } from '../pool/stats/stats.ts';
import type { Member, ShownState } from './member.ts';

export interface ServerStats {
  /** `unix:/run/php-fpm.sock` or `10.0.0.1:9000`. */
  readonly address: string;
  /** The name or the service by which it was found; else the same as `address`. */
  readonly origin: string;
  /**
   * - `up`: asked as any other. `suspect`: it has been silent while others answered; they are asked first.
   * - `failed`: left alone after failures. `trial`: asked with one request at a time after that. `busy`: it has said so; others first.
   * - `down`: by its option. `leaving`: taken out of the list, and ends what it has.
   */
  readonly state: ShownState;
  /** What it failed with; '' while it is up. */
  readonly why: string;
  /** Failures that count, since its last answer. */
  readonly fails: number;
  /** Requests on it now. */
  readonly load: number;
  /** How many workers were found there, null: not yet known. */
  readonly workers: number | null;
  readonly weight: number;
  readonly backup: boolean;
  /** Its connections and what they did. */
  readonly stats: ConnectionStats;
}

export interface UpstreamStats extends Stats {
  /** Each server, in the order given; behind them those that leave. */
  readonly servers: readonly ServerStats[];
}

export function serverStats(member: Member): ServerStats {
  const { server, health, settings, shownState } = member;
  return {
    address: member.name,
    origin: member.origin,
    state: shownState,
    why: health.why,
    fails: health.fails,
    load: server.busy,
    workers: server.workers || null,
    weight: settings.weight,
    backup: settings.backup,
    stats: connectionStats([server]),
  };
}
