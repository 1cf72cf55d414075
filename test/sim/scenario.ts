/** What is tried in virtual time, from one seed; and what came of it. */
import type { PoolOptions } from '../../src/pool/options.ts';
import type { Asked } from './asked.ts';
import { type FpmOptions, SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { drive, type Load } from './load.ts';
import { randomFrom, VirtualTime } from './time.ts';

export interface Scenario extends Load {
  readonly seed: number;
  readonly fpm: FpmOptions;
  readonly gateways: number;
  readonly options?: PoolOptions;
  /** ms, one way; 0: a unix socket. */
  readonly latency?: number;
  /** ms that a connect takes beside that; busy machines need more than the default. */
  readonly connecting?: number;
  /** The share of what comes on connections that go back and forth that our kernel acknowledges late. Default 0. */
  readonly lateAcks?: number;
  readonly reloadEvery?: number;
  readonly killEvery?: number;
  /** The first gateway's event loop stands still, every so many ms, for so long. */
  readonly stallEvery?: number;
  readonly stallFor?: number;
  /** ms that each callback takes in the gateways: what comes together is not answered together. Default 0. */
  readonly cost?: number;
}

/** What can be said in virtual time and in real. */
export interface Verdicts {
  readonly asked: readonly Asked[];
  /** How often each id ran. */
  readonly ran: ReadonlyMap<string, number>;
}

export interface Outcome extends Verdicts {
  readonly fpm: SimFpm;
  readonly gateways: readonly SimGateway[];
  readonly visitor: SimGateway | null;
  /** Share of the time in which workers ran scripts while there was work, 0 to 1. */
  readonly used: number;
  /** Connections that workers held a second after the end. */
  readonly heldAfter: number;
}

/** ms behind the end in which what was asked must settle. */
const REST = 20_000;

/** A process that keeps nothing, and never waits for a connection of its own. */
const VISITOR: PoolOptions = { keepalive: 0, connections: 128, queueSize: 4096 };

export async function play(scenario: Scenario): Promise<Outcome> {
  // The pool loads it with its first request, which takes real time.
  await import('generic-pool');
  const { pages, ms, options = {}, latency = 0, cost = 0, lateAcks = 0, connecting } = scenario;
  /** What the pools draw. */
  const random = randomFrom(scenario.seed ^ 0x5bd1e995);
  const time = new VirtualTime();
  const fpm = new SimFpm(time, scenario.fpm);
  const gateway = (name: string, given: PoolOptions, busy: number): SimGateway =>
    new SimGateway(name, time, fpm, latency, random, given, busy, lateAcks, connecting);
  const gateways = Array.from({ length: scenario.gateways }, (_, i) => gateway(`g${i}-`, options, cost));
  const visitor = scenario.visitorEvery === undefined ? null : gateway('v', VISITOR, 0);
  // What is asked comes from a seed of its own: the same load, whatever the pool draws meanwhile, and as on the real PHP-FPM.
  drive(scenario, randomFrom(scenario.seed), gateways, visitor);
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
  return { fpm, ran: fpm.ran, gateways, visitor, asked: all(), used, heldAfter: fpm.held };
}
