/**
 * All that the status page shows, as one value: what programs get as JSON, and what the page is made of.
 * This folder: the status page: what is noted for it, how it looks, who may see it. It imports types of pool, the channels'
 * names, and php-fpm's status from prometheus/.
 */
import type { CloseReason } from '../../connection/reuse.ts';
import type { Executed } from '../../errors.ts';
import type { ConnectionInfo } from '../../pool/stats/connections.ts';
import type { Summary } from '../../pool/stats/histogram.ts';
import type { ConnectionStats } from '../../pool/stats/stats.ts';
import type { Observed, ObservedServer } from '../prometheus/metrics.ts';
import { Rate } from './rates.ts';
import type { NotedMessage, NotedRetry, NotedState, Recorder } from './recorder.ts';
import type { ScriptFigures } from './scripts.ts';

/** One server: HAProxy's columns, and a pool's own. */
export interface ServerReport {
  readonly address: string;
  /** The name by which it was found, else the address. */
  readonly origin: string;
  /** As in `stats.servers`; `up` for a Pool. */
  readonly state: string;
  /** What it failed with, or ''. */
  readonly why: string;
  /** Failures that count, since its last answer. */
  readonly fails: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly connected: number;
  readonly busy: number;
  readonly idle: number;
  /** null: not yet known. */
  readonly workers: number | null;
  /** Requests that ended well a second; null: not yet known. */
  readonly perSecond: number | null;
  readonly mostPerSecond: number;
  readonly served: number;
  readonly retried: number;
  readonly closed: Readonly<Record<CloseReason, number>>;
}

/** php-fpm's own status page. */
export interface FpmReport {
  /** `unix:/run/php/php-fpm.sock;/status`. */
  readonly uri: string;
  /** Its members; null: there was no answer. */
  readonly page: Readonly<Record<string, unknown>> | null;
  /** ISO 8601. */
  readonly time: string;
}

export interface StatusReport {
  /** ISO 8601. */
  readonly time: string;
  /** Since when somebody looks: what `scripts`, `messages`, `retries` and `states` know. ISO 8601. */
  readonly since: string;
  /** Whose figures these are together: 1, or the workers of `serve --workers` that have answered. */
  readonly processes: number;
  readonly queued: number;
  /** ms. */
  readonly queueAge: number;
  /** The most that were seen to wait while somebody looked. */
  readonly mostQueued: number;
  readonly perSecond: number | null;
  readonly mostPerSecond: number;
  readonly served: number;
  readonly retried: number;
  readonly refused: number;
  readonly workers: number | null;
  /** Of the last minute, ms. */
  readonly waiting: Summary;
  readonly running: Summary;
  readonly servers: readonly ServerReport[];
  readonly connections: readonly ConnectionInfo[];
  /** Of the requests that were sent again: whether PHP had run them. */
  readonly proven: Readonly<Record<Executed, number>>;
  readonly retries: readonly NotedRetry[];
  readonly states: readonly NotedState[];
  readonly scripts: readonly ScriptFigures[];
  readonly messages: readonly NotedMessage[];
  readonly fpm: readonly FpmReport[];
}

/** A Pool or an Upstream. */
export interface Watched extends Observed {
  readonly connections?: readonly ConnectionInfo[];
}

interface FullServer extends ObservedServer {
  readonly origin?: string;
  readonly why?: string;
  readonly fails?: number;
  readonly weight?: number;
  readonly backup?: boolean;
}

const MOST_SCRIPTS = 15;

/** What must be remembered from one report to the next. */
export class Reporter {
  readonly #fpm: Watched;
  readonly #recorder: Recorder;
  #rate: Rate = new Rate();
  #rates: Map<string, Rate> = new Map();
  #mostQueued = 0;

  constructor(fpm: Watched, recorder: Recorder) {
    this.#fpm = fpm;
    this.#recorder = recorder;
  }

  forget(): void {
    this.#rate = new Rate();
    this.#rates = new Map();
    this.#mostQueued = 0;
  }

  /** `now`: epoch ms. */
  report(fpm: readonly FpmReport[], now: number): StatusReport {
    const { stats, connections = [] } = this.#fpm;
    const { queued, queueAge, served, retried, refused, workers, waiting, running } = stats;
    const { since, scripts, proven, retries, states, messages } = this.#recorder;
    this.#mostQueued = Math.max(this.#mostQueued, queued);
    const perSecond = this.#rate.add(served, now);
    return {
      time: new Date(now).toISOString(),
      since: new Date(since).toISOString(),
      processes: 1,
      queued,
      queueAge,
      mostQueued: this.#mostQueued,
      perSecond,
      mostPerSecond: this.#rate.most,
      served,
      retried,
      refused,
      workers,
      waiting,
      running,
      servers: this.#servers(now),
      connections,
      proven: { ...proven },
      retries: [...retries],
      states: [...states],
      scripts: scripts.slowest(MOST_SCRIPTS),
      messages: [...messages],
      fpm,
    };
  }

  #servers(now: number): ServerReport[] {
    const { stats, address = '' } = this.#fpm;
    const servers: readonly FullServer[] = stats.servers ?? [{ address, state: 'up', stats }];
    const before = this.#rates;
    this.#rates = new Map();
    return servers.map((server, nth) => {
      // The same address may be there twice.
      const key = `${nth} ${server.address}`;
      const rate = before.get(key) ?? new Rate();
      this.#rates.set(key, rate);
      return serverReport(server, rate.add(server.stats.served, now), rate.most);
    });
  }
}

function serverReport(server: FullServer, perSecond: number | null, mostPerSecond: number): ServerReport {
  const { address, origin = address, state, why = '', fails = 0, weight = 1, backup = false } = server;
  const { connected, busy, idle, workers, served, retried, closed }: ConnectionStats = server.stats;
  return {
    address,
    origin,
    state,
    why,
    fails,
    weight,
    backup,
    connected,
    busy,
    idle,
    workers,
    perSecond,
    mostPerSecond,
    served,
    retried,
    closed,
  };
}
