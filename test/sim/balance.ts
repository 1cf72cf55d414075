/** Several PHP-FPM hosts in virtual time: how long clients wait, by the way in which the servers are chosen. */
import type { Balance } from '../../src/upstream/balance/balance.ts';
import type { Asked } from './asked.ts';
import { type FpmOptions, SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { drive, percentile } from './load.ts';
import { randomFrom, VirtualTime } from './time.ts';

export const BALANCES: readonly Balance[] = ['least-conn', 'round-robin', 'random-two', 'hash'];

const HOSTS = 10;
const WORKERS = 4;
const GATEWAYS = 4;
/** ms of script: most are quick, one in ten is not. */
const PAGES = [15, 15, 15, 20, 20, 20, 25, 25, 30, 200];
const MEAN = PAGES.reduce((sum, ms) => sum + ms, 0) / PAGES.length;
const MS = 12_000;
/** Before that the gateways know nothing yet. */
const WARM = 1_000;
const LATENCY = 0.2;

export interface Situation {
  /** Of what all hosts can do. */
  readonly load: number;
  /** What is wrong with the first host. */
  readonly first: Partial<FpmOptions>;
  /** ms for which the first host is down, and then up again. */
  readonly flaps?: number;
}

export const SITUATIONS: Readonly<Record<string, Situation>> = {
  'all alike, half loaded': { load: 0.5, first: {} },
  'all alike, loaded to 85 %': { load: 0.85, first: {} },
  'one ten times as slow': { load: 0.5, first: { slowness: 10 } },
  'one with a single worker': { load: 0.6, first: { workers: 1 } },
  'one that goes down and comes back each second': { load: 0.5, first: {}, flaps: 1_000 },
};

export interface Tail {
  readonly p50: number;
  readonly p99: number;
  /** Share of all requests that were answered within a second, 0 to 1. */
  readonly inTime: number;
  /** Share that failed, 0 to 1. */
  readonly failed: number;
  readonly times: readonly number[];
}

export async function tailOf(balance: Balance, { load, first, flaps = 0 }: Situation): Promise<Tail> {
  await import('generic-pool');
  const seed = 20_261;
  const time = new VirtualTime();
  const hosts = Array.from(
    { length: HOSTS },
    (_, nth) => new SimFpm(time, { workers: WORKERS, ...(nth === 0 ? first : {}) }),
  );
  const random = randomFrom(seed + 1);
  let visitors = 0;
  const options = { balance, connections: 8, hashKey: () => String(visitors++ % 500) };
  const gateways = Array.from(
    { length: GATEWAYS },
    (_, nth) => new SimGateway(`g${nth}-`, time, hosts, LATENCY, random, options),
  );
  const rate = (load * HOSTS * WORKERS * 1_000) / (MEAN * GATEWAYS);
  drive({ pages: PAGES, rate, ms: MS }, randomFrom(seed), gateways, null);
  for (let at = flaps; flaps > 0 && at < MS; at += 2 * flaps) {
    time.at(at, () => hosts[0]?.crash());
    time.at(at + flaps, () => hosts[0]?.start());
  }
  await time.run(MS + 120_000);
  const asked = gateways.flatMap((gateway) => gateway.asked).filter(({ at }) => at >= WARM);
  const isAnswered = ({ error, took }: Asked): boolean => error === '' && took >= 0;
  const times = asked.filter(isAnswered).map(({ took }) => took);
  return {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    inTime: times.filter((took) => took <= 1_000).length / asked.length,
    failed: 1 - times.length / asked.length,
    times,
  };
}
