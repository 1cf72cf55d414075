/** The reports of several processes with the same servers as one: what is counted is added up, of a time the worst is shown. */

import type { FpmReport, ServerReport, StatusReport } from '../../observe/status/report.ts';
import type { ScriptFigures } from '../../observe/status/scripts.ts';
import type { Summary } from '../../pool/stats/histogram.ts';

/** As a report of one process has it: the latest ones. */
const MOST = 15;

/** Whose numbers can be added up. */
type Counts<T> = { [K in keyof T as T[K] extends number ? K : never]: number };

export function merged(first: StatusReport, others: readonly StatusReport[]): StatusReport {
  if (others.length === 0) return first;
  const all = [first, ...others];
  const latest = <T extends { readonly time: string }>(of: (report: StatusReport) => readonly T[]): T[] =>
    all
      .flatMap(of)
      .sort((a, b) => (a.time < b.time ? 1 : -1))
      .slice(0, MOST);
  return {
    time: first.time,
    since: all.map(({ since }) => since).sort()[0] ?? first.since,
    processes: sum(all, 'processes'),
    queued: sum(all, 'queued'),
    queueAge: Math.max(...all.map(({ queueAge }) => queueAge)),
    mostQueued: sum(all, 'mostQueued'),
    perSecond: known(all.map(({ perSecond }) => perSecond)),
    mostPerSecond: sum(all, 'mostPerSecond'),
    served: sum(all, 'served'),
    retried: sum(all, 'retried'),
    refused: sum(all, 'refused'),
    workers: known(all.map(({ workers }) => workers)),
    waiting: summary(all.map(({ waiting }) => waiting)),
    running: summary(all.map(({ running }) => running)),
    servers: groups(all, ({ servers }) => servers, addressOf).map(server),
    connections: all.flatMap(({ connections }) => connections),
    proven: counts(all.map(({ proven }) => proven)),
    retries: latest(({ retries }) => retries),
    states: latest(({ states }) => states),
    scripts: groups(
      all,
      ({ scripts }) => scripts,
      ({ script }) => script,
    )
      .map(script)
      .sort((a, b) => b.total - a.total)
      .slice(0, MOST),
    messages: latest(({ messages }) => messages),
    fpm: groups(
      all,
      ({ fpm }) => fpm,
      ({ uri }) => uri,
    ).map(newest),
  };
}

/** Those of all processes that are the same one. `key`: `nth` is its place among those of one process. */
function groups<T>(
  all: readonly StatusReport[],
  of: (report: StatusReport) => readonly T[],
  key: (one: T, nth: number) => string,
): (readonly [T, ...T[]])[] {
  const found = new Map<string, [T, ...T[]]>();
  for (const report of all) {
    for (const [nth, one] of of(report).entries()) {
      const same = found.get(key(one, nth));
      if (same === undefined) found.set(key(one, nth), [one]);
      else same.push(one);
    }
  }
  return [...found.values()];
}

/** The same address may be there twice. */
function addressOf({ address }: ServerReport, nth: number): string {
  return `${nth} ${address}`;
}

/** It is `up` where all have it so; else as one that has not sees it. */
function server(same: readonly [ServerReport, ...ServerReport[]]): ServerReport {
  const shown = same.find(({ state }) => state !== 'up') ?? same[0];
  return {
    ...shown,
    fails: Math.max(...same.map(({ fails }) => fails)),
    connected: sum(same, 'connected'),
    busy: sum(same, 'busy'),
    idle: sum(same, 'idle'),
    workers: known(same.map(({ workers }) => workers)),
    perSecond: known(same.map(({ perSecond }) => perSecond)),
    mostPerSecond: sum(same, 'mostPerSecond'),
    served: sum(same, 'served'),
    retried: sum(same, 'retried'),
    closed: counts(same.map(({ closed }) => closed)),
  };
}

function script(same: readonly [ScriptFigures, ...ScriptFigures[]]): ScriptFigures {
  const requests = sum(same, 'requests');
  const total = sum(same, 'total');
  return {
    script: same[0].script,
    requests,
    failed: sum(same, 'failed'),
    mean: total / requests,
    max: Math.max(...same.map(({ max }) => max)),
    total,
  };
}

function newest(same: readonly [FpmReport, ...FpmReport[]]): FpmReport {
  return same.reduce((a, b) => (b.page !== null && (a.page === null || b.time > a.time) ? b : a));
}

/** Percentiles of parts give none of the whole: shown is the p99 of the slowest, and the p50s by how many each stands for. */
function summary(parts: readonly Summary[]): Summary {
  const count = sum(parts, 'count');
  const p50 = parts.reduce((total, part) => total + part.p50 * part.count, 0) / Math.max(count, 1);
  return { count, p50, p99: Math.max(...parts.map(({ p99 }) => p99)) };
}

function sum<T>(all: readonly T[], name: keyof Counts<T>): number {
  return all.reduce((total, one) => total + Number(one[name as keyof T]), 0);
}

/** Of those that are known; null: none is. */
function known(all: readonly (number | null)[]): number | null {
  const numbers = all.filter((one) => one !== null);
  return numbers.length === 0 ? null : numbers.reduce((total, one) => total + one, 0);
}

function counts<K extends string>(all: readonly Readonly<Record<K, number>>[]): Record<K, number> {
  const total: Partial<Record<K, number>> = {};
  for (const one of all) {
    for (const name of Object.keys(one) as K[]) total[name] = (total[name] ?? 0) + one[name];
  }
  return total as Record<K, number>;
}
