/** A scenario on the real PHP-FPM, by the clock on the wall, with bare sockets on another one beside it. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from '../../src/pool/pool.ts';
import { executionLog, type Fpm, startFpm } from '../fpm/support/index.ts';
import { request } from '../fpm/support/wire.ts';
import { type Asked, type Asker, askOf } from './asked.ts';
import type { FpmOptions } from './fpm.ts';
import { drive, meanPage, pageOf } from './load.ts';
import type { Scenario, Verdicts } from './scenario.ts';
import { randomFrom } from './time.ts';

const PAGE = `usleep((int) ($_SERVER['MS'] * 1000)); echo 'ok';
  if ($_SERVER['TAIL'] > 0) { fastcgi_finish_request(); usleep((int) ($_SERVER['TAIL'] * 1000)); }`;

export interface RealOutcome extends Verdicts {
  /** Answers in the time of the load. */
  readonly served: number;
  /** What the machine is like just now, by the bare sockets: for the model. */
  readonly machine: Pick<FpmOptions, 'overhead' | 'forkTime' | 'reloadTime'>;
}

/** ms in which what is left must settle. */
const REST = 8_000;

export async function playReal(scenario: Scenario): Promise<RealOutcome> {
  const { ms, fpm: model, gateways, options = {} } = scenario;
  await using fpm = await startFpm({
    maxChildren: model.workers,
    pm: model.pm ?? 'static',
    maxRequests: model.maxRequests ?? 0,
    processControlTimeout: model.waits === false ? 0 : 10,
    transport: (scenario.latency ?? 0) === 0 ? 'unix' : 'tcp',
  });
  await using beside = await startFpm({ maxChildren: model.workers, maxRequests: model.maxRequests ?? 0 });
  const log = executionLog(fpm.root, `$_SERVER['ID']`);
  const script = fpm.script('page.php', `${log.php} ${PAGE}`);
  const random = randomFrom(scenario.seed);
  const begun = performance.now();
  const pools = Array.from({ length: gateways }, () => new Pool(fpm.address, options));
  const askers = pools.map((pool, nth) => new RealAsker(pool, `g${nth}-`, begun, script));
  drive(scenario, random, askers, null);
  let reloadTime = 0;
  const bare = bareSockets(beside, scenario, randomFrom(scenario.seed + 1));
  const over = new AbortController();
  const troubles = [
    every(scenario.reloadEvery, ms, over.signal, async () => {
      const from = performance.now();
      await fpm.reload();
      // The last worker leaves after about a page.
      const left = model.waits === false ? 0 : Math.max(...scenario.pages);
      reloadTime = Math.max(0, performance.now() - from - left);
    }),
    every(scenario.killEvery, ms, over.signal, async (nth) => {
      const workers = await fpm.workers();
      const victim = workers[nth % workers.length];
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    }),
  ];
  await delay(Math.max(0, begun + ms - performance.now()));
  const asked = (): Asked[] => askers.flatMap((asker) => asker.asked);
  const served = asked().filter(({ took, error }) => took >= 0 && error === '').length;
  /** What a request took more than its script, ms. */
  const more = Math.max(
    0,
    (model.workers * ms) / bare() - meanPage({ ...scenario, tails: { share: 0, ms: 0 } }),
  );
  over.abort();
  await Promise.all(troubles);
  for (const until = performance.now() + REST; performance.now() < until; ) {
    if (asked().every(({ took }) => took >= 0)) break;
    await delay(10);
  }
  await Promise.all(pools.map((pool) => pool.destroy()));
  const { maxRequests } = model;
  const machine = maxRequests === undefined ? { overhead: more } : { forkTime: more * maxRequests };
  return { asked: asked(), ran: log.executions(), served, machine: { ...machine, reloadTime } };
}

class RealAsker implements Asker {
  readonly asked: Asked[] = [];
  readonly #pool: Pool;
  readonly #name: string;
  readonly #begun: number;
  readonly #script: Readonly<Record<string, string>>;

  constructor(pool: Pool, name: string, begun: number, script: Readonly<Record<string, string>>) {
    this.#pool = pool;
    this.#name = name;
    this.#begun = begun;
    this.#script = script;
  }

  now(): number {
    return performance.now() - this.#begun;
  }

  at(time: number, run: () => void): void {
    setTimeout(run, time - this.now());
  }

  ask(ask: Parameters<Asker['ask']>[0], done: () => void = () => {}): Asked {
    const id = `${this.#name}${this.asked.length}`;
    const asked = askOf(this.#pool, this, id, ask, this.#script, done);
    this.asked.push(asked);
    return asked;
  }
}

/** One for each worker, always busy; returns a function that ends it and gives how often they were answered. */
function bareSockets(fpm: Fpm, scenario: Scenario, random: () => number): () => number {
  const log = executionLog(fpm.root, `$_SERVER['ID']`);
  const script = fpm.script('page.php', `${log.php} ${PAGE}`);
  const next = (): Buffer => {
    const MS = String(pageOf(scenario, random));
    return request({ params: { ...script, ID: 'bare', MS, TAIL: '0' } });
  };
  let answers = 0;
  let over = false;
  const sockets = new Set<Socket>();
  const open = (): void => {
    if (over) return;
    const socket = connect(fpm.endpoint);
    sockets.add(socket);
    socket.on('data', (chunk: Buffer) => {
      // An answer ends with the 16 bytes of END_REQUEST.
      if (chunk[chunk.length - 15] !== 3) return;
      answers++;
      socket.write(next());
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      open();
    });
    socket.write(next());
  };
  for (let i = 0; i < scenario.fpm.workers; i++) open();
  return () => {
    over = true;
    for (const socket of sockets) socket.destroy();
    return answers;
  };
}

async function every(
  interval: number | undefined,
  ms: number,
  signal: AbortSignal,
  what: (nth: number) => Promise<void>,
): Promise<void> {
  if (interval === undefined) return;
  for (let nth = 1; nth * interval < ms; nth++) {
    await delay(interval, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await what(nth);
  }
}
