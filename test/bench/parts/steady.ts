/**
 * Several gateways, a process each, that have something to do all the time, and together less than the workers can do: do their
 * kept connections hold workers that the others wait for? What their requests take, beside what they take where nothing is kept.
 */
import { startFpm } from '../../fpm/support/index.ts';
import { besideNeighbours } from '../lib/neighbours.ts';
import { percentile, SLEEPS, sleeping } from '../lib/php.ts';
import type { Row } from '../lib/table.ts';

interface Case {
  readonly gateways: number;
  readonly workers: number;
  readonly page: number;
  /** Of what the workers can do. */
  readonly load: number;
}

const CASES: readonly Case[] = [
  { gateways: 2, workers: 4, page: 2, load: 0.6 },
  { gateways: 2, workers: 8, page: 5, load: 0.7 },
  { gateways: 4, workers: 8, page: 25, load: 0.7 },
  { gateways: 4, workers: 8, page: 100, load: 0.7 },
];

interface Seen {
  /** ms, of all requests. */
  readonly times: readonly number[];
  readonly failed: number;
}

export async function steady(bundle: URL, seconds: number, isBrief: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const one of CASES.slice(0, isBrief ? 1 : CASES.length)) {
    const kept = await measure(bundle, one, {}, seconds);
    const fresh = await measure(bundle, one, { keepalive: 0 }, seconds);
    const { gateways, workers, page, load } = one;
    const shown = ({ times, failed }: Seen): string => {
      const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(times, share).toFixed(0));
      return `p50 ${p50}, p90 ${p90}, p99 ${p99} ms, ${failed} failed`;
    };
    rows.push({
      what: `${gateways} gateways on ${workers} workers, pages of ${page} ms, ${load} of what they can do: p99 later by, ms`,
      ours: shown(kept),
      other: `nothing kept: ${shown(fresh)}`,
      ratio: percentile(kept.times, 0.99) - percentile(fresh.times, 0.99),
      most: 50,
    });
  }
  return rows;
}

async function measure(
  bundle: URL,
  { gateways, workers, page, load }: Case,
  options: { keepalive?: number },
  seconds: number,
): Promise<Seen> {
  await using fpm = await startFpm({ maxChildren: workers, files: { 'sleep.php': SLEEPS } });
  const params = sleeping(fpm, [page, page]);
  const rate = (load * workers * 1_000) / page / gateways;
  // Long pages are few: their slowest hundredth is chance, unless the same requests come in each run.
  const ms = Math.max(1_000 * seconds, 100 * page);
  const args = [fpm.address, JSON.stringify(params), JSON.stringify(options), String(ms), String(rate)];
  const withSeed = (nth: number): string[] => [...args, String(nth)];
  const { worked } = await besideNeighbours(bundle, gateways, withSeed, async () => null);
  return {
    times: worked.flatMap(({ times }) => times),
    failed: worked.reduce((sum, { failed }) => sum + failed, 0),
  };
}
