/**
 * Does a fresh pool use the workers that it is given? 8 workers, 24 clients, a new pool each time, beside 8 bare sockets
 * that are always busy. The pages sleep, so that php-fpm's workers are the bottleneck and not the machine.
 */
import { Pool } from '../../../src/index.ts';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { answersOf, ask, bareAnswers, SLEEPS, sleepingInTurn } from '../lib/php.ts';
import { rivals } from '../lib/rivals.ts';
import type { Row } from '../lib/table.ts';

const WORKERS = 8;
const CLIENTS = 3 * WORKERS;
const PAGES: readonly (readonly [number, number])[] = [
  [25, 25],
  [1, 1],
  [5, 5],
  [12, 12],
  [60, 60],
  [200, 200],
  [5, 300],
  [100, 100],
];
/** The pages, in ms, that others answer as well, and a pool that keeps nothing. */
const BESIDE: readonly number[] = [25, 5, 100];

interface Effort {
  readonly seconds: number;
  /** Fresh pools for each page. */
  readonly pools: number;
  /** The first so many of the pages. */
  readonly pages: number;
}

export async function workers({ seconds, pools, pages }: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const transport of ['unix', 'tcp'] as const) {
    await using fpm = await startFpm({ transport, maxChildren: WORKERS, files: { 'sleep.php': SLEEPS } });
    // What the first request of a process loads is not to be measured.
    await worst(fpm, sleepingInTurn(fpm, [1, 1]), {}, 1, 100);
    for (const page of PAGES.slice(0, pages)) {
      const ms = lengthOf(seconds, page);
      const inTurn = sleepingInTurn(fpm, page);
      const kept = await worst(fpm, inTurn, {}, pools, ms);
      const what = `workers used, ${transport}, ${named(page)}`;
      rows.push(row(what, `worst of ${pools} fresh pools`, kept, ms, 0.95));
      if (page[0] !== page[1] || !BESIDE.includes(page[0])) continue;
      const fresh = await worst(fpm, inTurn, { keepalive: 0 }, 1, ms);
      rows.push(row(`${what}, keepalive: 0`, 'one pool', fresh, ms, 0.9));
      if (transport === 'unix') rows.push(...(await othersUse(page, seconds, kept.bare)));
    }
  }
  return rows;
}

/** ms of one run. Slow pages need more than quick ones, or chance decides. */
function lengthOf(seconds: number, page: readonly [number, number]): number {
  return Math.max(seconds * 1_000, seconds * 5 * page[1]);
}

/** Answers of one contender, and of bare sockets just before and behind it: their mean. */
interface Used {
  readonly answers: number;
  readonly bare: number;
}

/** In turns with bare sockets, as the machine is quicker at one moment than at the next: by those of one side alone each swing is a fault. */
async function worst(
  fpm: Fpm,
  pages: readonly Record<string, string>[],
  options: { keepalive?: number },
  pools: number,
  ms: number,
): Promise<Used> {
  let least: Used = { answers: Number.POSITIVE_INFINITY, bare: 1 };
  let before = await bareAnswers(fpm, pages, WORKERS, ms);
  for (let i = 0; i < pools; i++) {
    await using pool = new Pool(fpm.address, { connections: WORKERS, ...options });
    let sent = 0;
    const one = async (): Promise<boolean> => {
      const response = await pool.request({ params: pages[sent++ % pages.length] ?? {} });
      return (await response.body.text()) === 'ok';
    };
    const answers = await answersOf(one, CLIENTS, ms);
    await pool.close();
    const behind = await bareAnswers(fpm, pages, WORKERS, ms);
    const bare = (before + behind) / 2;
    before = behind;
    if (answers / bare < least.answers / least.bare) least = { answers, bare };
  }
  return least;
}

async function othersUse(page: readonly [number, number], seconds: number, bare: number): Promise<Row[]> {
  const rows: Row[] = [];
  const ms = lengthOf(seconds, page);
  for (const [name, start] of Object.entries(rivals(WORKERS))) {
    await using fpm = await startFpm({ maxChildren: WORKERS, files: { 'sleep.php': SLEEPS } });
    await using server = await start(fpm);
    const url = `${server.url}/sleep.php?ms=${page[0]}&max=${page[1]}`;
    const answers = await answersOf(async () => (await ask(url, 10_000)).status === 200, CLIENTS, ms);
    rows.push(row(`workers used, unix, ${named(page)}: ${name}`, 'its own clients', { answers, bare }, ms));
  }
  return rows;
}

function row(what: string, of: string, { answers, bare }: Used, ms: number, least?: number): Row {
  const rate = (count: number): string => `${((1_000 * count) / ms).toFixed(0)} a second`;
  return {
    what,
    ours: `${rate(answers)}: ${of}`,
    other: `8 bare sockets ${rate(bare)}`,
    ratio: answers / bare,
    ...(least === undefined ? {} : { least }),
  };
}

function named([ms, max]: readonly [number, number]): string {
  return ms === max ? `pages of ${ms} ms` : `pages of ${ms} to ${max} ms`;
}
