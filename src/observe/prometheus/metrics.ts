/**
 * What a pool's `stats` are as metrics: a table of names, labels and where the figures come from.
 * This folder: the metrics, names and values; pure.
 */
import type { ConnectionStats, Stats } from '../../pool/stats/stats.ts';

/** One server of several, as `Upstream.stats.servers` has it. */
export interface ObservedServer {
  readonly address: string;
  readonly state: string;
  readonly stats: ConnectionStats;
}

/** A Pool, an Upstream, or what has the same `stats`. */
export interface Observed {
  readonly stats: Stats & { readonly servers?: readonly ObservedServer[] };
  /** Of a Pool; the label `server`. */
  readonly address?: string;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric<Source> {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** Of several pools with the same labels: 'most' where each says the same of the server, or none can be added. */
  readonly joins: 'sum' | 'most';
  samples(source: Source): readonly Sample[];
}

/** As read once, for all metrics. */
export interface PoolFigures {
  readonly stats: Stats;
  readonly servers: readonly (Omit<ObservedServer, 'state'> & { readonly state: string | null })[];
}

export function figuresOf({ stats, address }: Observed): PoolFigures {
  return { stats, servers: stats.servers ?? [{ address: address ?? '', state: null, stats }] };
}

const STATES = ['up', 'suspect', 'failed', 'trial', 'busy', 'down', 'leaving'] as const;

/** `read` null: not known. */
function perServer(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  read: (stats: ConnectionStats) => number | null,
  joins: 'sum' | 'most' = 'sum',
): Metric<PoolFigures> {
  return {
    name,
    help,
    type,
    labels: ['server'],
    joins,
    samples: ({ servers }) =>
      servers.flatMap(({ address, stats }) => {
        const value = read(stats);
        return value === null ? [] : [{ labels: { server: address }, value }];
      }),
  };
}

/** The queue is one, whatever servers there are. */
function ofQueue(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  read: (stats: Stats) => number,
): Metric<PoolFigures> {
  const samples = ({ stats }: PoolFigures): Sample[] => [{ labels: {}, value: read(stats) }];
  return { name, help, type, labels: [], joins: 'sum', samples };
}

function quantiles(name: string, help: string, which: 'waiting' | 'running'): Metric<PoolFigures> {
  return {
    name,
    help,
    type: 'gauge',
    labels: ['quantile'],
    joins: 'most',
    samples: ({ stats }) => {
      const { p50, p99 } = stats[which];
      return [
        { labels: { quantile: '0.5' }, value: p50 / 1000 },
        { labels: { quantile: '0.99' }, value: p99 / 1000 },
      ];
    },
  };
}

export const poolMetrics: readonly Metric<PoolFigures>[] = [
  {
    name: 'fastcgi_pool_connections',
    help: 'Sockets that are open or being opened; each may hold a worker of php-fpm.',
    type: 'gauge',
    labels: ['server', 'state'],
    joins: 'sum',
    samples: ({ servers }) =>
      servers.flatMap(({ address, stats }) => [
        { labels: { server: address, state: 'busy' }, value: stats.busy },
        { labels: { server: address, state: 'idle' }, value: stats.idle },
      ]),
  },
  perServer(
    'gauge',
    'fastcgi_pool_workers',
    'Workers of php-fpm that have been seen to run at once for this pool; missing while it is not known.',
    ({ workers }) => workers,
    'most',
  ),
  {
    name: 'fastcgi_pool_server_state',
    help: '1 for the state in which a server of several is, else 0.',
    type: 'gauge',
    labels: ['server', 'state'],
    joins: 'most',
    samples: ({ servers }) =>
      servers.flatMap(({ address, state }) =>
        state === null
          ? []
          : STATES.map((one) => ({ labels: { server: address, state: one }, value: Number(one === state) })),
      ),
  },
  perServer('counter', 'fastcgi_pool_served_total', 'Requests that ended well.', ({ served }) => served),
  perServer(
    'counter',
    'fastcgi_pool_retried_total',
    'Requests that were sent once more, or given to another server.',
    ({ retried }) => retried,
  ),
  {
    name: 'fastcgi_pool_closed_total',
    help: 'Closed sockets by reason.',
    type: 'counter',
    labels: ['server', 'reason'],
    joins: 'sum',
    samples: ({ servers }) =>
      servers.flatMap(({ address, stats }) =>
        Object.entries(stats.closed).map(([reason, value]) => ({
          labels: { server: address, reason },
          value,
        })),
      ),
  },
  ofQueue('gauge', 'fastcgi_pool_queued', 'Requests that wait for a connection.', ({ queued }) => queued),
  ofQueue(
    'counter',
    'fastcgi_pool_refused_total',
    'Requests that were turned away, as the queue was too long or too slow.',
    ({ refused }) => refused,
  ),
  quantiles(
    'fastcgi_pool_waiting_seconds',
    'How long the requests of the last minute waited for a connection.',
    'waiting',
  ),
  quantiles(
    'fastcgi_pool_running_seconds',
    'How long the requests of the last minute took from then to the end of the response.',
    'running',
  ),
];
