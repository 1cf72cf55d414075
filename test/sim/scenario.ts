/** What is tried in virtual time, from one seed; and what came of it. */
import type { PoolOptions } from '../../src/pool/options.ts';
import { type FpmOptions, SimFpm } from './fpm.ts';
import { type Asked, SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

export interface Scenario {
  readonly seed: number;
  readonly fpm: FpmOptions;
  /** ms of script: one of these each time, at random; [5, 300] with `between`: evenly from 5 to 300. */
  readonly pages: readonly number[];
  readonly between?: boolean;
  readonly gateways: number;
  readonly options?: PoolOptions;
  /** ms, one way; 0: a unix socket. */
  readonly latency?: number;
  /** Clients of each gateway that ask again as soon as they are answered. */
  readonly clients?: number;
  /** Instead: requests of each gateway a second, at random intervals. */
  readonly rate?: number;
  /** ms after which a client leaves. */
  readonly giveUp?: number;
  /** One more process that keeps no connection asks every so many ms. */
  readonly visitorEvery?: number;
  readonly ms: number;
  readonly reloadEvery?: number;
  readonly killEvery?: number;
  /** The first gateway's event loop stands still, every so many ms, for so long. */
  readonly stallEvery?: number;
  readonly stallFor?: number;
}

export interface Outcome {
  readonly time: VirtualTime;
  readonly fpm: SimFpm;
  readonly gateways: readonly SimGateway[];
  readonly visitor: SimGateway | null;
  readonly asked: readonly Asked[];
  /** Share of the time in which workers ran scripts while there was work, 0 to 1. */
  readonly used: number;
  /** Connections that workers held a second after the end. */
  readonly heldAfter: number;
}

/** ms that a client waits once it was refused. */
const AFTER_ERROR = 100;

/** ms behind the end in which what was asked must settle. */
const REST = 20_000;

export async function play(scenario: Scenario): Promise<Outcome> {
  // The pool loads it with its first request, which takes real time.
  await import('generic-pool');
  const { fpm: fpmOptions, pages, between = false, ms, options = {}, latency = 0 } = scenario;
  const random = randomFrom(scenario.seed);
  const time = new VirtualTime();
  const fpm = new SimFpm(time, fpmOptions);
  // No two runs of a script take exactly as long.
  const page = (): number => drawn() * (0.98 + 0.04 * random());
  const drawn = (): number => {
    const [first = 0, last = first] = pages;
    return between ? first + random() * (last - first) : (pages[Math.floor(random() * pages.length)] ?? 0);
  };
  const gateway = (name: string, given: PoolOptions): SimGateway =>
    new SimGateway(name, time, fpm, latency, random, given);
  const gateways = Array.from({ length: scenario.gateways }, (_, i) => gateway(`g${i}-`, options));
  const { giveUp, clients = 0, rate = 0 } = scenario;
  const request = (): { ms: number; giveUp?: number } => ({
    ms: page(),
    ...(giveUp === undefined ? {} : { giveUp }),
  });
  for (const one of gateways) {
    const again = (): void => {
      if (time.now >= ms) return;
      const asked = one.ask(request(), () =>
        time.at(time.now + (asked.error === '' ? 0.02 : AFTER_ERROR), again, one.loop),
      );
    };
    for (let i = 0; i < clients; i++) time.at(random() * 2, again, one.loop);
    if (rate > 0) {
      const arrive = (): void => {
        if (time.now >= ms) return;
        one.ask(request());
        time.at(time.now - (Math.log(1 - random()) * 1000) / rate, arrive, one.loop);
      };
      time.at(random(), arrive, one.loop);
    }
  }
  let visitor: SimGateway | null = null;
  if (scenario.visitorEvery !== undefined) {
    visitor = gateway('v', { keepalive: 0, connections: 128, queueSize: 4096 });
    for (let at = Math.min(1_000, ms / 4); at < ms; at += scenario.visitorEvery)
      time.at(at, () => visitor?.ask({ ms: page() }), visitor.loop);
  }
  const every = (interval: number | undefined, what: (nth: number) => void): void => {
    if (interval === undefined) return;
    for (let nth = 1; nth * interval < ms; nth++) time.at(nth * interval, () => what(nth));
  };
  every(scenario.reloadEvery, () => fpm.reload());
  every(scenario.killEvery, (nth) => fpm.kill(nth));
  every(scenario.stallEvery, () => gateways[0]?.stall(scenario.stallFor ?? 0));

  await time.run(ms);
  const used = fpm.workedFor / (fpm.options.workers * ms);
  await time.run(ms + 1_000);
  const all = (): Asked[] =>
    [...gateways, ...(visitor === null ? [] : [visitor])].flatMap(({ asked }) => asked);
  const longest = Math.max(...pages);
  for (
    let waited = 1_000;
    waited < REST + 20 * longest && all().some(({ took }) => took < 0);
    waited += 1_000
  )
    await time.run(ms + waited);
  await time.run(time.now + 3_000);
  return { time, fpm, gateways, visitor, asked: all(), used, heldAfter: fpm.held };
}

/** The share `part` of the sorted times, ms. */
export function percentile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
