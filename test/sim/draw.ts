/** Configurations that nobody chose: each is drawn from its seed. */
import type { PoolOptions } from '../../src/pool/options.ts';
import { type Load, meanPage } from './load.ts';
import type { Scenario } from './scenario.ts';
import { randomFrom } from './time.ts';

/** Kinds of load, each with laws of its own. */
export const KINDS = ['closed', 'calm', 'overload', 'neighbours', 'tails', 'trouble'] as const;
export type Kind = (typeof KINDS)[number];

export interface Drawn extends Scenario {
  readonly kind: Kind;
  /** Requests that come, of what the workers can do; 0: as many as clients ask. */
  readonly load: number;
}

/** Requests that one scenario may ask: they cost real time. */
const MOST_REQUESTS = 1_500;

export function draw(seed: number): Drawn {
  const random = randomFrom(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const chance = (share: number): boolean => random() < share;
  /** From `least` to `most`, each size as likely as the next. */
  const size = (least: number, most: number): number => least * (most / least) ** random();
  const whole = (least: number, most: number): number => Math.round(size(least, most));
  const kind = one(KINDS);
  const workers = whole(1, 64);
  const page = (): number => Number(size(0.3, 5_000).toPrecision(2));
  const pages = Array.from({ length: one([1, 1, 2, 3]) }, page);
  const script: Pick<Load, 'pages' | 'between'> =
    pages.length === 2 && chance(0.5)
      ? { pages: pages.sort((a, b) => a - b), between: true }
      : { pages: chance(0.2) ? [pages[0] ?? 1, pages[0] ?? 1, ...pages] : pages };
  const mean = meanPage(script);
  const latency = chance(0.2) ? one([0.05, 2, 10]) : 0;
  /** Requests a ms that the workers can do. */
  const capacity = workers / (mean + 0.1 + 2 * latency);
  const ms = (load: number): number =>
    Math.max(20 * mean, Math.min(4_000, MOST_REQUESTS / (load * capacity)));
  // A process has other things to do as well, but is not what is short: a request takes four callbacks or five.
  const cost = chance(0.3) ? Math.min(one([0.03, 0.3, 2]), 0.05 / capacity) : 0;
  const { lateAcks, isLong } = latency > 0 ? drawAcks(seed) : { lateAcks: 0, isLong: false };
  const connecting = drawConnecting(seed, mean);
  const base = { seed, kind, ...script, latency, connecting, lateAcks, cost, gateways: 1, load: 0 };
  const fpm = { workers, isLong, ...(chance(0.25) ? { pm: 'ondemand' as const } : {}) };
  const keeping = (): PoolOptions => (chance(0.2) ? { keepalive: 0 } : {});
  switch (kind) {
    case 'closed': {
      // Where all that wait in the backlog are an hour's work, it is headersTimeout that is tried.
      const most = Math.max(1, Math.floor(10_000 * capacity));
      const isFit = chance(0.3);
      const connections = Math.min(isFit ? workers : whole(1, 64), most);
      const clients = isFit
        ? Math.floor(connections * size(1.5, 3))
        : connections + Math.ceil(random() * workers * one([1, 1, 3]));
      return { ...base, fpm, clients, options: { connections, ...keeping() }, ms: ms(1) };
    }
    case 'calm': {
      const gateways = whole(1, 8);
      const load = size(0.01, 0.8);
      const rate = (load * capacity * 1_000) / gateways;
      const burst = chance(0.3) ? { burst: { every: 20 * mean, size: whole(2, 2 * workers + 1) } } : {};
      return { ...base, fpm, load, gateways, rate, ...burst, options: {}, ms: ms(Math.max(load, 0.3)) };
    }
    case 'overload': {
      const load = size(1.2, 5);
      const options = { connections: Math.max(1, Math.round(workers * one([0.5, 1, 2]))) };
      const leaving = one([0, 1, 1, 0.3]);
      const giveUp = Math.max(2_000, one([2, 5, 8]) * Math.max(...script.pages));
      return { ...base, fpm, load, rate: load * capacity * 1_000, giveUp, leaving, options, ms: ms(load) };
    }
    case 'neighbours': {
      const gateways = whole(1, 8);
      const connections = one([4, 8, 16]);
      const busy = chance(0.5) && gateways * connections < 10_000 * capacity;
      const asking = busy ? { clients: 2 * connections } : { rate: Math.min(6, (600 * capacity) / gateways) };
      const visitorEvery = Math.max(50, 10 / capacity);
      const length = busy ? ms(1) : Math.max(4_000, 20 * mean);
      return { ...base, fpm, gateways, ...asking, options: { connections }, visitorEvery, ms: length };
    }
    case 'tails': {
      const tails = { share: one([0.02, 0.2, 1]), ms: Number(size(5, 2_000).toPrecision(2)) };
      const clients = whole(1, 2 * workers);
      return { ...base, fpm, tails, clients, options: { connections: whole(1, 2 * workers) }, ms: ms(1) };
    }
    case 'trouble':
      return {
        ...base,
        fpm: {
          workers,
          isLong,
          pm: one(['static', 'dynamic', 'ondemand']),
          maxRequests: one([1, 5, 50, 500]),
          waits: chance(0.7),
        },
        gateways: one([1, 1, 2]),
        clients: Math.ceil(2 * workers * random()),
        options: { connections: one([1, workers, 2 * workers]), ...keeping() },
        ms: ms(1),
        ...(chance(0.3) ? { giveUp: size(1, 2 * mean + 2), leaving: 0.2 } : {}),
        ...(chance(0.4) ? { reloadEvery: 300 } : {}),
        ...(chance(0.4) ? { killEvery: 170 } : {}),
        ...(chance(0.4) ? { stallEvery: one([400, 4_000]), stallFor: one([60, 130, 900, 3_000]) } : {}),
      };
  }
}

/** From a seed of its own: what the others are does not change with it. */
function drawAcks(seed: number): { lateAcks: number; isLong: boolean } {
  const random = randomFrom(seed ^ 0x27d4eb2f);
  const isLong = random() < 0.7;
  const shares = [0, 0.05, 0.3, 1];
  return { lateAcks: shares[Math.floor(random() * shares.length)] ?? 0, isLong };
}

/** ms, by a seed of its own as well: little beside a page, as otherwise it is what is short. */
function drawConnecting(seed: number, mean: number): number {
  const random = randomFrom(seed ^ 0x165667b1);
  const all = [0.05, 0.05, 0.2, 0.5, 1];
  return Math.max(0.05, Math.min(all[Math.floor(random() * all.length)] ?? 0.05, mean / 20));
}
