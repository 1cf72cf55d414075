/**
 * `fastcgi-pool/prometheus`: the figures of a pool as metrics of prom-client, read when they are asked for.
 * This folder: what programs see of a pool: metrics and traces. It imports types of pool, and the peers only where
 * the caller brings them.
 */
import type * as promClient from 'prom-client';
import { checkNames, isOptions, LONGEST_DELAY } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { type FpmFigures, FpmStatuses, fpmMetrics } from './prometheus/fpm-status.ts';
import { joined } from './prometheus/joined.ts';
import { figuresOf, type Metric, type Observed, poolMetrics, type Sample } from './prometheus/metrics.ts';

export type { Observed, ObservedServer } from './prometheus/metrics.ts';

export interface ObserveOptions {
  /** prom-client itself, 14 or later: it is used and never imported here. */
  readonly client: Pick<typeof promClient, 'Gauge' | 'Counter' | 'register'>;
  /** Where the metrics are registered. Default: `client.register`. */
  readonly registry?: promClient.Registry | undefined;
  /**
   * Labels of all metrics, which tell several pools apart: `{ site: 'blog' }`. All that share a registry have the same names. Of pools that
   * nothing tells apart the figures are added, and of times the longest stands; so it is with the processes of prom-client's
   * AggregatorRegistry. Default none.
   */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /**
   * `pm.status_path`: PHP-FPM's own status is asked for at each scrape, and given by the names of hipages' exporter. It takes
   * a worker for a moment, of each server of an Upstream. Default: not asked for.
   */
  readonly status?: string | undefined;
  /** ms that PHP-FPM's status may take, then `phpfpm_up` is 0. Default 1000. */
  readonly statusTimeout?: number | undefined;
}

export interface Observation {
  /** Takes this pool out of the metrics again; those of others stay. */
  stop(): void;
}

type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

/** What a metric is read from: one pool. Observed twice, it must not count twice. */
interface Source {
  readonly fpm: object;
  readonly labels: string;
  readonly read: Read;
  uses: number;
}

/** Where a metric keeps what it is read from: on itself, so that it goes where the registry is cleared. */
const SOURCES: unique symbol = Symbol.for('fastcgi-pool.sources') as never;

type Gauge = promClient.Gauge & Sourced;
type Counter = promClient.Counter & Sourced;

interface Sourced {
  [SOURCES]?: Set<Source>;
  labelNames?: readonly string[];
}

/**
 * Makes the figures of `fpm` (a Pool or an Upstream) metrics: `fastcgi_pool_connections{server,state}` and others. May be
 * called for several pools with the same registry.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: an option that cannot be; `option` names it.
 */
export function observe(
  fpm: Observed & Partial<Pick<Dispatcher, 'request'>>,
  options: ObserveOptions,
): Observation {
  checkOptions(fpm, options);
  const registry = options.registry ?? options.client.register;
  const labels = options.labels ?? {};
  const stops = poolMetrics.map((metric) =>
    add(options.client, registry, metric, { fpm, labels, samples: () => metric.samples(figuresOf(fpm)) }),
  );
  const { status, statusTimeout = 1000 } = options;
  if (status !== undefined && fpm.request !== undefined) {
    const asked = new FpmStatuses(fpm, { request: fpm.request.bind(fpm) }, status, statusTimeout);
    const samplesOf = async (metric: Metric<FpmFigures>): Promise<readonly Sample[]> =>
      (await asked.ask()).flatMap((figures) => metric.samples(figures));
    for (const metric of fpmMetrics)
      stops.push(add(options.client, registry, metric, { fpm, labels, samples: () => samplesOf(metric) }));
  }
  return {
    stop: () => {
      for (const stop of stops.splice(0)) stop();
    },
  };
}

/** Registers the metric if it is the first, and adds what it is read from; returns what takes that out again. */
function add(
  client: ObserveOptions['client'],
  registry: promClient.Registry,
  metric: Metric<never>,
  from: { readonly fpm: object; readonly labels: Readonly<Record<string, string>>; readonly samples: Read },
): () => void {
  const { fpm, labels } = from;
  const read: Read = async () => {
    const found = await from.samples();
    return found.map((sample) => ({ ...sample, labels: { ...sample.labels, ...labels } }));
  };
  const labelNames = [...metric.labels, ...Object.keys(labels)];
  const sources =
    sourcesIn(registry, metric.name, labelNames) ?? register(client, registry, metric, labelNames);
  const key = JSON.stringify(Object.entries(labels).sort());
  const known = [...sources].find((source) => source.fpm === fpm && source.labels === key);
  const source = known ?? { fpm, labels: key, read, uses: 0 };
  source.uses++;
  sources.add(source);
  return () => {
    source.uses--;
    if (source.uses > 0) return;
    sources.delete(source);
    // Where nothing is left to read, a metric without labels would go on to say 0. It may be another's by now: the registry was cleared.
    const there = registry.getSingleMetric(metric.name) as (promClient.Metric & Sourced) | undefined;
    if (sources.size === 0 && there?.[SOURCES] === sources) registry.removeSingleMetric(metric.name);
  };
}

/** undefined: the registry has no such metric. */
function sourcesIn(
  registry: promClient.Registry,
  name: string,
  labelNames: readonly string[],
): Set<Source> | undefined {
  const there = registry.getSingleMetric(name) as (promClient.Metric & Sourced) | undefined;
  if (there === undefined) return undefined;
  const sources = there[SOURCES];
  if (sources === undefined)
    throw invalid('registry', `the registry has a metric ${name} already, which is not ours`);
  const names = [...(there.labelNames ?? [])].sort().join(', ');
  if (names !== [...labelNames].sort().join(', '))
    throw invalid('labels', `pools that share a registry have labels of the same names, here: ${names}`);
  return sources;
}

function register(
  client: ObserveOptions['client'],
  registry: promClient.Registry,
  { name, help, type, joins }: Metric<never>,
  labelNames: readonly string[],
): Set<Source> {
  const sources = new Set<Source>();
  const all = async (): Promise<readonly Sample[]> =>
    joined((await Promise.all([...sources].map(({ read }) => read()))).flat(), joins);
  // `cluster`'s processes are joined as pools are: by default prom-client would add up their times, and php-fpm's own figures
  const aggregator: 'sum' | 'max' = joins === 'sum' ? 'sum' : 'max';
  const config = { name, help, labelNames: [...labelNames], registers: [registry], aggregator };
  const made: Gauge | Counter =
    type === 'gauge'
      ? new client.Gauge({
          ...config,
          async collect() {
            const samples = await all();
            this.reset();
            for (const { labels, value } of samples) this.set(labels, value);
          },
        })
      : new client.Counter({
          ...config,
          async collect() {
            const samples = await all();
            this.reset();
            for (const { labels, value } of samples) this.inc(labels, value);
          },
        });
  made[SOURCES] = sources;
  return sources;
}

const OPTIONS: Readonly<Record<keyof ObserveOptions, true>> = {
  client: true,
  registry: true,
  labels: true,
  status: true,
  statusTimeout: true,
};

const OWN_LABELS: readonly string[] = ['server', 'state', 'reason', 'quantile', 'pool', 'scrape_uri'];

function checkOptions(fpm: unknown, options: unknown): void {
  const stats = isObject(fpm) ? fpm['stats'] : undefined;
  if (!isObject(stats) || !isObject(stats['closed']))
    throw invalid('fpm', 'fpm must be a Pool or an Upstream, or have its stats');
  if (!isOptions(options)) throw invalid('options', 'options must be an object with prom-client as `client`');
  checkNames(options, OPTIONS, 'observe()');
  const { client, registry, labels, status, statusTimeout } = options;
  if (!isObject(client) || typeof client['Gauge'] !== 'function' || typeof client['Counter'] !== 'function')
    throw invalid('client', 'client must be prom-client: import client from "prom-client"');
  if (registry !== undefined && !(isObject(registry) && typeof registry['getSingleMetric'] === 'function'))
    throw invalid('registry', 'registry must be a Registry of prom-client');
  if (
    labels !== undefined &&
    !(isOptions(labels) && Object.values(labels).every((one) => typeof one === 'string'))
  )
    throw invalid('labels', 'labels must be an object of strings');
  for (const name of Object.keys(labels ?? {})) {
    if (OWN_LABELS.includes(name))
      throw invalid('labels', `labels must not have ${name}, which the metrics have themselves`);
    if (!/^[a-z_]\w*$/i.test(name))
      throw invalid('labels', `labels must have names of letters, digits and _, not ${JSON.stringify(name)}`);
  }
  if (status !== undefined && !(typeof status === 'string' && status.startsWith('/')))
    throw invalid('status', 'status must be a path that begins with a slash, as `pm.status_path` is');
  if (status !== undefined && !(isObject(fpm) && typeof fpm['request'] === 'function'))
    throw invalid('status', 'status needs a Pool or an Upstream, which has request()');
  if (statusTimeout !== undefined && !isTimeout(statusTimeout))
    throw invalid(
      'statusTimeout',
      `statusTimeout must be a number of ms above 0, ${LONGEST_DELAY} at the most`,
    );
}

/** What a timer of Node's can wait. */
function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value <= LONGEST_DELAY;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}
