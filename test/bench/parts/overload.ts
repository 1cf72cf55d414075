/**
 * More requests than the workers can do, at even intervals, whose clients leave after 2 s. Goodput: answered in that
 * time, of what the workers can do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { type Answer, ask, percentile, SLEEPS } from '../lib/php.ts';
import { rivals } from '../lib/rivals.ts';
import type { Row } from '../lib/table.ts';

const WORKERS = 4;
const GIVE_UP = 2_000;
/** ms of script: each of them as often. */
const PAGES: readonly (readonly number[])[] = [[40], [10, 300]];
const LOADS = [1.5, 3];
/** ms in which a page must be quick again. */
const RECOVERS = 15_000;

interface Seen {
  readonly goodput: number;
  readonly p99: number;
  readonly refused: number;
  readonly gaveUp: number;
  readonly asked: number;
  /** ms from the end of the load to the first page that is quick. */
  readonly recovery: number;
}

/** Of one process, or of several that are asked in turn. */
type Start = (fpm: Fpm) => Promise<{ readonly urls: readonly string[]; stop(): Promise<unknown> }>;

const PROCESSES = 4;

export async function overload(bundle: URL, seconds: number, isBrief: boolean): Promise<Row[]> {
  const ours =
    (processes: number): Start =>
    async (fpm) => {
      const args = [fpm.address, fpm.root, 'default'];
      const children = await Promise.all(
        Array.from({ length: processes }, () => startChild(bundle, 'gateway', args)),
      );
      return {
        urls: children.map(({ address }) => address),
        stop: () => Promise.all(children.map((child) => child.stop())),
      };
    };
  const others = Object.entries(rivals(WORKERS)).map(([name, start]): [string, Start] => [
    name,
    async (fpm) => {
      const { url, stop } = await start(fpm);
      return { urls: [url], stop };
    },
  ]);
  const contenders: [string, Start][] = [
    ['ours', ours(1)],
    [`ours, ${PROCESSES} processes`, ours(PROCESSES)],
    ...others,
  ];
  const rows: Row[] = [];
  for (const pages of isBrief ? PAGES.slice(0, 1) : PAGES) {
    for (const load of isBrief ? LOADS.slice(1) : LOADS) {
      for (const [name, start] of contenders.slice(0, isBrief ? 3 : undefined)) {
        const seen = await measure(start, pages, load, seconds);
        rows.push(
          ...shown(
            name,
            `${load} times what ${WORKERS} workers can do, pages of ${pages.join(' and ')} ms`,
            seen,
          ),
        );
      }
    }
  }
  return rows;
}

function shown(name: string, what: string, seen: Seen): Row[] {
  const { goodput, p99, refused, gaveUp, asked, recovery } = seen;
  const goal = (one: { most: number } | { least: number }): { most?: number; least?: number } =>
    name.startsWith('ours') ? one : {};
  const of = name === 'ours' ? what : `${what}: ${name}`;
  const fates = `${refused} refused, ${gaveUp} gave up, of ${asked}`;
  return [
    {
      what: `${of}: goodput`,
      ours: goodput.toFixed(2),
      other: fates,
      ratio: goodput,
      ...goal({ least: 0.9 }),
    },
    { what: `${of}: p99, ms`, ours: p99.toFixed(0), other: '1000', ratio: p99 / 1_000, ...goal({ most: 1 }) },
    {
      what: `${of}: quick again after, ms`,
      ours: recovery.toFixed(0),
      other: '500',
      ratio: recovery / 500,
      ...goal({ most: 1 }),
    },
  ];
}

async function measure(start: Start, pages: readonly number[], load: number, seconds: number): Promise<Seen> {
  await using fpm = await startFpm({ maxChildren: WORKERS, files: { 'sleep.php': SLEEPS } });
  const server = await start(fpm);
  const { urls } = server;
  const url = (nth: number): string =>
    `${urls[nth % urls.length]}/sleep.php?ms=${pages[Math.floor(nth / urls.length) % pages.length]}`;
  try {
    for (let i = 0; i < 8; i++) await ask(url(i), 5_000);
    const mean = pages.reduce((sum, page) => sum + page, 0) / pages.length;
    const capacity = WORKERS / mean;
    const answers: Promise<Answer>[] = [];
    const begun = performance.now();
    for (let i = 0; performance.now() - begun < 1_000 * seconds; i++) {
      const early = begun + i / (capacity * load) - performance.now();
      if (early > 1) await delay(early);
      answers.push(ask(url(i), GIVE_UP));
    }
    const recovery = await quickAgain(url, pages);
    const all = await Promise.all(answers);
    const good = all.filter(({ status, ms }) => status === 200 && ms <= GIVE_UP).map(({ ms }) => ms);
    return {
      goodput: good.length / (1_000 * seconds * capacity),
      p99: percentile(good, 0.99),
      refused: all.filter(({ status }) => status >= 500).length,
      gaveUp: all.filter(({ status }) => status === 0).length,
      asked: all.length,
      recovery,
    };
  } finally {
    await server.stop();
  }
}

async function quickAgain(url: (nth: number) => string, pages: readonly number[]): Promise<number> {
  const begun = performance.now();
  while (performance.now() - begun < RECOVERS) {
    const asked = performance.now() - begun;
    const { status, ms } = await ask(url(0), RECOVERS);
    if (status === 200 && ms < 3 * Math.max(...pages)) return asked;
    await delay(20);
  }
  return RECOVERS;
}
