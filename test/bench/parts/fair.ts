/**
 * Is a pool a good neighbour? Some gateways, a process each, on the same php-fpm, and one more client that keeps nothing
 * and asks every 50 ms: what it waits, beside what it waits where the gateways keep nothing either.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from '../../../src/index.ts';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { besideNeighbours } from '../lib/neighbours.ts';
import { answersOf, ask, percentile, SLEEPS, sleeping } from '../lib/php.ts';
import { rivals, type StartRival } from '../lib/rivals.ts';
import type { Row } from '../lib/table.ts';

interface Case {
  readonly kind: 'busy' | 'quiet';
  readonly gateways: number;
  readonly workers: number;
  readonly page: number;
}

/** As many as a pool has by default, each gateway. */
const CONNECTIONS = 8;

/** The first two are measured beside the others' gateways, too. */
const CASES: readonly Case[] = [
  { kind: 'busy', gateways: 3, workers: 6, page: 25 },
  { kind: 'quiet', gateways: 4, workers: 4, page: 2 },
  { kind: 'busy', gateways: 1, workers: 6, page: 2 },
  { kind: 'busy', gateways: 3, workers: 6, page: 2 },
  { kind: 'busy', gateways: 4, workers: 4, page: 60 },
  { kind: 'busy', gateways: 2, workers: 8, page: 5 },
  { kind: 'busy', gateways: 4, workers: 8, page: 8 },
];

interface Seen {
  /** ms that the one more client waited. */
  readonly p50: number;
  readonly p99: number;
  /** Answered to each gateway, and failed in all. */
  readonly shares: readonly number[];
  readonly failed: number;
}

export async function fair(bundle: URL, seconds: number, isBrief: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const others = Object.entries(rivals(CONNECTIONS)).slice(isBrief ? 3 : 0);
  for (const [nth, one] of CASES.slice(0, isBrief ? 1 : CASES.length).entries()) {
    const kept = await measure(bundle, one, {}, seconds);
    const fresh = await measure(bundle, one, { keepalive: 0 }, seconds);
    const { kind, gateways, workers, page } = one;
    const what = `one more client beside ${gateways} ${kind} gateways on ${workers} workers, pages of ${page} ms`;
    rows.push(later(what, kept, fresh, 50));
    if (kind === 'busy') rows.push(...together(what, kept, fresh));
    for (const [name, start] of nth < 2 ? others : [])
      rows.push(later(`${what}: ${name}`, await beside(start, one, seconds), fresh));
  }
  return rows;
}

function later(what: string, kept: Seen, fresh: Seen, most?: number): Row {
  const shown = ({ p50, p99 }: Seen): string => `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)} ms`;
  const ratio = kept.p99 - fresh.p99;
  return {
    what: `${what}: p99 later by, ms`,
    ours: shown(kept),
    other: `nothing kept: ${shown(fresh)}`,
    ratio,
    ...(most === undefined ? {} : { most }),
  };
}

function together(what: string, kept: Seen, fresh: Seen): Row[] {
  const [sum, before] = [kept, fresh].map(({ shares }) => shares.reduce((all, share) => all + share, 0));
  const mean = (sum ?? 0) / kept.shares.length;
  return [
    {
      what: `${what}: answered to the gateways, ${kept.failed} failed`,
      ours: String(sum),
      other: `nothing kept: ${before}`,
      ratio: (sum ?? 0) / (before ?? 0),
      least: 0.98,
    },
    {
      what: `${what}: the smallest share`,
      ours: kept.shares.join(' + '),
      other: `the mean ${mean.toFixed(0)}`,
      ratio: Math.min(...kept.shares) / mean,
      least: 0.7,
    },
  ];
}

async function measure(
  bundle: URL,
  { kind, gateways, workers, page }: Case,
  options: { keepalive?: number },
  seconds: number,
): Promise<Seen> {
  await using fpm = await startFpm({ maxChildren: workers, files: { 'sleep.php': SLEEPS } });
  const params = sleeping(fpm, [page, page]);
  const ms = 1_000 * seconds;
  const args = [fpm.address, JSON.stringify(params), JSON.stringify(options), String(ms + 500), kind];
  const { worked, seen } = await besideNeighbours(
    bundle,
    gateways,
    () => args,
    () => oneMore(fpm, params, ms),
  );
  return {
    ...seen,
    shares: worked.map(({ served }) => served),
    failed: worked.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** The gateways are others', each with as many clients, as often. */
async function beside(
  start: StartRival,
  { kind, gateways, workers, page }: Case,
  seconds: number,
): Promise<Seen> {
  await using fpm = await startFpm({ maxChildren: workers, files: { 'sleep.php': SLEEPS } });
  const servers = await Promise.all(Array.from({ length: gateways }, () => start(fpm)));
  const ms = 1_000 * seconds;
  try {
    const load = servers.map(({ url }) => {
      const one = async (): Promise<boolean> =>
        (await ask(`${url}/sleep.php?ms=${page}`, ms + 500)).status === 200;
      return kind === 'busy' ? answersOf(one, 16, ms + 500) : quietAnswers(one, ms + 500);
    });
    const waited = await oneMore(fpm, sleeping(fpm, [page, page]), ms);
    return { ...waited, shares: await Promise.all(load), failed: 0 };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** As many as servers/neighbour.ts asks of a quiet gateway. */
async function quietAnswers(one: () => Promise<boolean>, ms: number): Promise<number> {
  const until = performance.now() + ms;
  const all = Array.from({ length: 8 }, one);
  for (; performance.now() < until; await delay(1000 / 6)) all.push(one());
  return (await Promise.all(all)).filter(Boolean).length;
}

/** A client that keeps nothing, and never waits for a connection of its own. */
async function oneMore(
  fpm: Fpm,
  params: Record<string, string>,
  ms: number,
): Promise<{ p50: number; p99: number }> {
  // Beside nginx's kept connections it may get no worker for as long as the load lasts, and longer.
  const pool = new Pool(fpm.address, { keepalive: 0, connections: 256, headersTimeout: ms });
  const times: number[] = [];
  const one = async (): Promise<void> => {
    const begun = performance.now();
    await pool.request({ params }).then(
      (response) => response.body.text(),
      () => null,
    );
    times.push(performance.now() - begun);
  };
  const all: Promise<void>[] = [];
  // The gateways have their connections by then.
  await delay(ms / 5);
  for (const until = performance.now() + 0.8 * ms; performance.now() < until; await delay(50))
    all.push(one());
  await Promise.all(all);
  await pool.close();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
