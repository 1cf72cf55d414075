/** What must hold of every scenario. Each law says what it found against it. */

import { TICK_INTERVAL } from '../../src/connection/clock.ts';
import { BURST } from '../../src/pool/queue/overload.ts';
import type { Asked } from './asked.ts';
import type { Drawn } from './draw.ts';
import { meanPage, percentile } from './load.ts';
import type { Outcome, Scenario, Verdicts } from './scenario.ts';

/** Refusals that a pool may make, and what a client does by itself. */
const ALLOWED = new Set(['', 'FCGI_ERR_QUEUE_OVERLOAD', 'FCGI_ERR_QUEUE_FULL', 'gave up']);

const TIMEOUTS = new Set(['FCGI_ERR_QUEUE_TIMEOUT', 'FCGI_ERR_HEADERS_TIMEOUT']);

/** Turns of our event loop for a new connection, its answer, and what the server is asked behind the first one. */
const TURNS_AT_ONCE = 10;

/** ms: where workers die or our own event loop stands still, and all clients together take longer for one request each, time may run out. */
const LONG_ROUND = 20_000;

/** ms in which it is learned that acknowledgements are late. */
const LEARNING = 1_000;

type Found = string[];

/** Laws of each request, in virtual time and in real. */
export const promises: Readonly<Record<string, (scenario: Scenario, verdicts: Verdicts) => Found>> = {
  'no request waits for ever': (_, { asked }) => some(asked, ({ took }) => took < 0),

  'no request runs twice': (_, { ran }) =>
    [...ran].filter(([, times]) => times > 1).map(([id, times]) => `${id} ran ${times} times`),

  'what was answered has run, and what is told not to have run has not': (_, { asked, ran }) =>
    some(asked, ({ id, error, executed }) => (ran.has(id) ? executed === 'no' : error === '')),

  'none fails that a retry could have saved': (scenario, { asked, ran }) =>
    some(asked, (one) => {
      const { id, error, executed } = one;
      return (
        !ALLOWED.has(error) &&
        !(kills(scenario) && ran.has(id)) &&
        !(isLostOnTheWay(scenario) && executed === 'unknown') &&
        !(TIMEOUTS.has(error) && hadNoTurn(scenario, { asked, ran }, one))
      );
    }),
};

export type Law = (drawn: Drawn, outcome: Outcome) => Found;

/** Laws of a whole run. */
export const laws: Readonly<Record<string, Law>> = {
  ...promises,

  'what PHP has answered does not fail, however long our own loop stood still': (_, { asked, fpm }) =>
    some(asked, ({ id, error }) => fpm.answered.has(id) && error !== '' && error !== 'gave up'),

  'nothing is kept once nobody asks': (_, { heldAfter }) =>
    heldAfter === 0 ? [] : [`${heldAfter} workers are held`],

  // What waits for our own event loop is granted below: so nobody may fill it for nothing.
  'a request takes few turns of our event loop, and a tick as few': ({ kind }, { fpm, asked, gateways }) => {
    if (kind !== 'closed' && kind !== 'neighbours') return [];
    const turns = gateways.reduce((sum, { loop }) => sum + loop.turns, 0);
    return atMost(turns, 20 * asked.length + (4 * gateways.length * fpm.time.now) / TICK_INTERVAL, 'turns');
  },

  'while requests wait, the workers work': (drawn, outcome) => {
    if (drawn.kind !== 'closed') return [];
    const { keepalive, connections = 8 } = drawn.options ?? {};
    const { workers, pm } = drawn.fpm;
    const { used, asked } = outcome;
    // Of what was drawn for those that run: forty pages of 3, 12 and 470 ms may be a fifth shorter than their mean.
    const run = asked.filter(({ error }) => error === '');
    const mean = run.reduce((sum, { ms }) => sum + ms, 0) / Math.max(1, run.length);
    // What accepting, connecting and a round trip over the network take of each request, at the most.
    const roundTrips = keepalive === 0 && connections <= workers ? 5 : 3;
    const lost =
      0.1 +
      (keepalive === 0 ? 0.1 : 0.05) +
      roundTrips * (drawn.latency ?? 0) +
      2 * (drawn.cost ?? 0) +
      waitedForLoop(outcome);
    const ideal = Math.min(1, connections / workers) * (pm === 'ondemand' ? 0.97 : 1);
    return atLeast(used, (0.95 * ideal * mean * afterLearning(drawn)) / (mean + lost), 'used');
  },

  'nobody is overtaken for long': (drawn, { asked }) => {
    if (drawn.kind !== 'closed') return [];
    const most = 3 * round(drawn) + 2 * Math.max(...drawn.pages) + 200;
    return some(asked, ({ error, took }) => error === '' && took > most).map(
      (one) => `${one} (at most ${most.toFixed(0)})`,
    );
  },

  'clients who ask again only once they are answered are no overload, where each waits for a second or a page':
    (drawn, { asked }) => {
      const { fpm, pages, clients = 0, cost = 0, options: { connections = 8 } = {} } = drawn;
      if (drawn.kind !== 'closed') return [];
      const isShort = round(drawn) + Math.max(...pages) < 1_000;
      const slots = Math.min(connections, fpm.workers);
      // All of them end together, and our own event loop takes so long for that, and for what the server is asked then: no page, but a queue.
      const isLoopShort = TURNS_AT_ONCE * cost * slots < BURST;
      const isEven = pages.length === 1 && clients <= 2 * slots && isLoopShort;
      if (!isShort && !isEven) return [];
      return atMost(asked.filter(({ error }) => error === 'FCGI_ERR_QUEUE_OVERLOAD').length, 0, 'refused');
    },

  'who is served under overload is served in time': (drawn, { asked }) => {
    if (drawn.kind !== 'overload') return [];
    const { connections = 8 } = drawn.options ?? {};
    const { workers } = drawn.fpm;
    const longest = Math.max(...drawn.pages);
    const load = (drawn.load * workers) / Math.min(workers, connections);
    if (load > 5) return [];
    // What comes in the first 150 ms is a burst, and let in: for one worker chance may make it twice as much as usual.
    const first = Math.min(...asked.map(({ at }) => at));
    const burst = asked.filter(({ at }) => at < first + 150).reduce((sum, { ms }) => sum + ms, 0);
    const most =
      Math.max(1_000, 8 * longest) +
      10 * (drawn.latency ?? 0) +
      Math.max(150 * load, burst / Math.min(workers, connections));
    return atMost(percentile(answered(asked), 0.99), most, 'p99');
  },

  'overload leaves no worker idle': (drawn, outcome) => {
    const { used, asked } = outcome;
    // Of few requests chance makes too much, and of a moment the first connects and forks.
    if (drawn.kind !== 'overload' || asked.length < 100 || drawn.ms < 200) return [];
    const { connections = 8 } = drawn.options ?? {};
    const { workers } = drawn.fpm;
    const mean = meanPage(drawn);
    const wanted = asked.reduce((sum, { ms }) => sum + ms, 0) / (workers * drawn.ms);
    const ideal = Math.min(1, wanted, connections / workers);
    const most = ideal * afterLearning(drawn);
    const lost = 0.2 + 2.5 * (drawn.latency ?? 0) + waitedForLoop(outcome);
    return atLeast(used, (0.75 * most * mean) / (mean + lost), 'used');
  },

  'where little is asked, hardly anything is refused': (drawn, { asked }) => {
    // Of what the pools may use of the workers: to 8 connections of 43 workers a fifth of the whole load is too much.
    const { workers } = drawn.fpm;
    const load = (drawn.load * workers) / Math.min(workers, 8 * drawn.gateways);
    if (drawn.kind !== 'calm' || load > 0.3 || drawn.burst !== undefined) return [];
    const refused = asked.filter(({ error }) => error !== '').length;
    return atMost(refused, 1 + 0.02 * asked.length, 'refused');
  },
};

/** The same run with and without kept connections: keeping must cost nobody much. */
export type Comparison = (drawn: Drawn, kept: Outcome, fresh: Outcome) => Found;

export const comparisons: Readonly<Record<string, Comparison>> = {
  'a neighbour waits hardly longer than where nobody keeps connections': (drawn, kept, fresh) => {
    // Of few requests chance makes too much.
    if (drawn.kind !== 'neighbours' || (kept.visitor?.asked.length ?? 0) < 20) return [];
    const waited = ({ visitor }: Outcome, part: number): number =>
      percentile(answered(visitor?.asked ?? []), part);
    const least = waited(fresh, 0.99) + Math.max(...drawn.pages);
    // Of 60 requests the slowest is p99: it may wait for the end of a lease, and for an idle time behind it.
    return [
      ...atMost(waited(kept, 0.9), least + held(drawn, 50), 'p90 of the neighbour'),
      ...atMost(waited(kept, 0.99), least + held(drawn, 75 + 50), 'p99 of the neighbour'),
    ];
  },

  'equal gateways get equal shares, and no less in all': (drawn, kept, fresh) => {
    if (drawn.kind !== 'neighbours' || (drawn.clients ?? 0) === 0) return [];
    const shares = kept.gateways.map(({ asked }) => answered(asked).length);
    const mean = shares.reduce((all, share) => all + share, 0) / shares.length;
    const page = meanPage(drawn);
    // Who has found fewer workers gives up its own sooner, for the first second or two.
    const least = (drawn.ms < 2_000 ? 0.25 : 0.7) * mean - 2 * Math.sqrt(mean);
    // Which pages come is drawn anew in each run: two of the longest more or less are chance.
    const longest = (2 * Math.max(...drawn.pages)) / (drawn.fpm.workers * drawn.ms);
    const learned = fresh.used * afterLearning(drawn);
    const lost = 2.5 * (drawn.latency ?? 0) + waitedForLoop(kept);
    const used = (0.95 * learned * page) / (page + lost) - longest - firstTick(drawn);
    return [
      ...atLeast(Math.min(...shares), least, 'the smallest share'),
      ...atLeast(kept.used, used, 'used'),
    ];
  },

  'where little is asked, nobody waits longer for it': (drawn, kept, fresh) => {
    // Where more are refused, the others wait less.
    if (drawn.kind !== 'calm' || answered(kept.asked).length > answered(fresh.asked).length) return [];
    const p99 = ({ asked }: Outcome): number => percentile(answered(asked), 0.99);
    // A lease, and then an idle time.
    return atMost(p99(kept), p99(fresh) + Math.max(...drawn.pages) + held(drawn, 75 + 50), 'p99');
  },
};

export function isCompared({ kind }: Drawn): boolean {
  return kind === 'neighbours' || kind === 'calm';
}

/** The promises that a run breaks, in virtual time or in real. */
export function brokenPromises(scenario: Scenario, verdicts: Verdicts): Found {
  return Object.entries(promises).flatMap(([name, promise]) => named(name, promise(scenario, verdicts)));
}

/** All that a run breaks; `fresh`: the same one without kept connections, where they are to be compared. */
export function broken(drawn: Drawn, outcome: Outcome, fresh: Outcome | null): Found {
  return [
    ...Object.entries(laws).flatMap(([name, law]) => named(name, law(drawn, outcome))),
    ...Object.entries(comparisons).flatMap(([name, compare]) =>
      fresh === null ? [] : named(name, compare(drawn, outcome, fresh)),
    ),
  ];
}

/**
 * A worker that is recycled discards the request on its way to it, and leaves before the network has told, or our own event loop: it looks
 * as one that has left, or was killed, while it ran that request.
 */
function isLostOnTheWay(scenario: Scenario): boolean {
  const { latency = 0, cost = 0, reloadEvery, killEvery, fpm } = scenario;
  return latency + cost > 0 && fpm.maxRequests !== undefined && (reloadEvery ?? killEvery) !== undefined;
}

/** ms that it takes to serve each client of a gateway once. */
function round(scenario: Scenario): number {
  const { clients = 0, latency = 0, options: { connections = 8 } = {}, fpm, reloadEvery } = scenario;
  // A reload before the next worker is due leaves one, the first.
  const workers = fpm.pm === 'dynamic' && reloadEvery !== undefined ? 1 : fpm.workers;
  return (clients / Math.min(connections, workers)) * (meanPage(scenario) + 0.3 + 4 * latency);
}

/**
 * ms that others' connections may cost: `most` (an idle time, a lease) for each gateway that has no worker of its own,
 * and once more. Those to a far host are kept for longer, as connecting takes longer.
 */
function held({ gateways, fpm, latency = 0 }: Scenario, most: number): number {
  return (most + Math.min(2_000, 600 * latency)) * Math.ceil(gateways / fpm.workers);
}

/**
 * ms of each answer in which it, or the connection for it, was there and our own event loop was not: clients who are refused ask again
 * at once, and of a hundred of them the loop is full. It is what was measured, so that a pool whose loop has time has no excuse.
 */
function waitedForLoop({ gateways, asked }: Outcome): number {
  const waited = gateways.reduce((sum, { loop }) => sum + loop.waited, 0);
  return waited / Math.max(1, answered(asked).length);
}

/**
 * Whether there is one worker more is tried once in a tick: until the first one is over, each gateway may be a worker short. In a run
 * of 12 ms that is all of its time.
 */
function firstTick({ gateways, fpm: { workers }, ms }: Scenario): number {
  return (Math.min(gateways, workers) * Math.min(TICK_INTERVAL, ms)) / (workers * ms);
}

/**
 * The bounds say what they are where all that came before it had as much to do as it has waited for, and nine tenths of it are enough:
 * those that have run, and no more of each than there was once it came.
 */
function hadNoTurn(scenario: Scenario, { asked, ran }: Verdicts, one: Asked): boolean {
  const { fpm, options: { connections = 8 } = {}, reloadEvery, killEvery, stallEvery } = scenario;
  // What was lost then is in no sum.
  if ((reloadEvery ?? killEvery ?? stallEvery) !== undefined && round(scenario) > LONG_ROUND) return true;
  const work = asked
    .filter(({ id, at }) => at <= one.at && id !== one.id && ran.has(id))
    .map(({ ms, tail = 0, at, took }) => Math.min(ms + tail, Math.max(0, at + took + tail - one.at)));
  return work.reduce((sum, ms) => sum + ms, 0) >= 0.9 * one.took * Math.min(connections, fpm.workers);
}

/** The share of the time in which it is known that keeping costs more than connecting. */
function afterLearning({ fpm: { isLong = false }, lateAcks = 0, ms }: Scenario): number {
  return isLong && lateAcks > 0 ? Math.max(0, 1 - LEARNING / ms) : 1;
}

/** May a request fail whose script had begun? */
function kills({ killEvery, reloadEvery, fpm }: Scenario): boolean {
  return killEvery !== undefined || (reloadEvery !== undefined && fpm.waits === false);
}

function answered(asked: readonly Asked[]): number[] {
  return asked.filter(({ error }) => error === '').map(({ took }) => took);
}

function atLeast(value: number, least: number, what: string): Found {
  return value >= least ? [] : [`${what} ${value.toFixed(3)}, at least ${least.toFixed(3)}`];
}

function atMost(value: number, most: number, what: string): Found {
  return value <= most ? [] : [`${what} ${value.toFixed(1)}, at most ${most.toFixed(1)}`];
}

function named(name: string, found: Found): Found {
  return found.map((one) => `${name}: ${one}`);
}

function some(asked: readonly Asked[], isBad: (one: Asked) => boolean): Found {
  return asked
    .filter(isBad)
    .slice(0, 3)
    .map(
      ({ id, error, executed, took }) =>
        `${id}: ${error || 'answered'}, executed ${executed || '?'}, ${took.toFixed(1)} ms`,
    );
}
