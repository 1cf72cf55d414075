/** One row for one contender: start everything, send, stop everything, and only then read what PHP has noted. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from '../../../src/pool/pool.ts';
import {
  type Fpm,
  fullDisk,
  gone,
  scriptParams,
  startFpm,
  startLag,
  tempDir,
} from '../../fpm/support/index.ts';
import { type ServerName, startServer } from '../../interop/support/servers.ts';
import { task } from '../../interop/support/task.ts';
import { type Contender, collector, type Front, startFront } from './contenders.ts';
import { Ledger, type Outcome, type Tally } from './ledger.ts';
import { messageOf } from './messages.ts';
import type { Row } from './rows.ts';
import { scripts } from './scripts.ts';
import { slowdowns } from './weather.ts';

/** Whichever comes first. */
export interface Amount {
  readonly requests: number;
  readonly seconds: number;
}

export interface Result {
  readonly row: Row;
  readonly contender: Contender;
  readonly tally: Tally;
  /** Of the weather. */
  readonly blows: number;
  readonly retried: number | null;
  readonly seconds: number;
}

export async function runRow(row: Row, contender: Contender, amount: Amount): Promise<Result> {
  if (row.server !== undefined) return runOther(row, row.server, contender, amount);
  using folder = tempDir('storm-');
  const log = join(folder.path, 'runs.log');
  using disk = row.diskFull ? fullDisk() : null;
  await using lag = row.slows ? await startLag() : null;
  await using fpm = await startFpm({
    maxChildren: row.clients,
    ...row.fpm,
    ...(lag === null ? {} : { host: lag.near }),
    ...(disk === null ? {} : { phpIni: { upload_tmp_dir: disk.path, sys_temp_dir: disk.path } }),
    files: scripts(log, row.work),
  });
  const { connections, pool, proxy, proxied = false } = row;
  const address = lag !== null && 'port' in fpm.endpoint ? `${lag.far}:${fpm.endpoint.port}` : undefined;
  const front = await startFront(contender, { fpm, connections, pool, proxied, proxy, address });
  const ledger = new Ledger();
  const calm = new AbortController();
  const weather = row.weather?.(fpm, calm.signal) ?? Promise.resolve(0);
  const slowness = slowdowns(lag, calm.signal);
  const begun = performance.now();
  let seconds: number;
  let blows: number;
  try {
    await (row.rate === undefined ? asAnswered : atRate(row.rate))(row, front, ledger, amount);
    seconds = (performance.now() - begun) / 1000;
  } finally {
    calm.abort();
    blows = await weather;
    await slowness;
  }
  const retried = front.retried();
  await front.stop();
  await lastRuns(fpm);
  await ledger.readRuns(log);
  return { row, contender, tally: ledger.tally(), blows, retried, seconds };
}

/** A server that is not PHP-FPM echoes each body, or answers with the number of a request that has none. */
async function runOther(row: Row, name: ServerName, contender: Contender, amount: Amount): Promise<Result> {
  await using server = await startServer(name);
  await using pool = new Pool(server.address, { connections: row.connections });
  const ledger = new Ledger();
  const front: Front = {
    send(id, shape, script) {
      const { body } = messageOf(shape, id);
      const what = script === 'die.php' ? 'die' : body === null ? 'hello' : 'echo';
      const expected = body === null ? String(id) : body.toString('latin1');
      return new Promise<Outcome>((resolve) => {
        pool.dispatch(task(server, what, String(id), body), collector(expected, resolve));
      });
    },
    retried: () => pool.stats.retried,
    stop: () => pool.close(),
  };
  const begun = performance.now();
  await asAnswered(row, front, ledger, amount);
  const seconds = (performance.now() - begun) / 1000;
  await ledger.readRuns(server.log);
  return { row, contender, tally: ledger.tally(), blows: 0, retried: front.retried(), seconds };
}

/** Each client sends its next request when it has the answer to the one before. */
async function asAnswered(row: Row, front: Front, ledger: Ledger, amount: Amount): Promise<void> {
  const end = performance.now() + 1000 * amount.seconds;
  let sent = 0;
  // However busy the machine is, some of what the row is about must be among them.
  const least = 2 * (row.special?.every ?? 0);
  const client = async (): Promise<void> => {
    while (sent < amount.requests && (performance.now() < end || sent < least)) {
      sent++;
      await one(row, front, ledger);
    }
  };
  await Promise.all(Array.from({ length: row.clients }, client));
}

/** So many a second, whatever becomes of them. */
function atRate(rate: number): typeof asAnswered {
  return async (row, front, ledger, amount) => {
    const most = Math.min(amount.requests, rate * amount.seconds);
    const begun = performance.now();
    const sent: Promise<void>[] = [];
    for (let i = 0; i < most; i++) {
      await sleep(Math.max(0, begun + (1000 * i) / rate - performance.now()));
      sent.push(one(row, front, ledger));
    }
    await Promise.all(sent);
  };
}

async function one(row: Row, front: Front, ledger: Ledger): Promise<void> {
  const id = ledger.next();
  const { special, shapes } = row;
  const isSpecial = special !== undefined && id % special.every === special.every - 1;
  const shape = (isSpecial ? special.shape : undefined) ?? shapes[id % shapes.length] ?? 'get';
  const begun = performance.now();
  const outcome = await front.send(id, shape, isSpecial ? special.script : 'echo.php');
  ledger.record(id, outcome, performance.now() - begun, isSpecial);
}

/**
 * Nothing that we sent runs any more afterwards: a request behind all others in the backlog has been answered, and
 * SIGQUIT lets the scripts finish that still run.
 */
async function lastRuns(fpm: Fpm): Promise<void> {
  await using last = new Pool(fpm.address, { keepalive: 0 });
  const params = { ...scriptParams(fpm.root, 'ping'), SCRIPT_NAME: '/ping', SCRIPT_FILENAME: '/ping' };
  const { statusCode } = await last.request({ params, retry: 'always' });
  if (statusCode !== 200) throw new Error(`php-fpm answers ${statusCode} after the storm`);
  const { pid } = fpm;
  fpm.kill('SIGQUIT');
  await gone([pid]);
}
