/** One row for one contender: start everything, send, stop everything, and only then read what PHP has noted. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from '../../../src/pool/pool.ts';
import { type Fpm, gone, scriptParams, startFpm, tempDir } from '../../fpm/support/index.ts';
import { type Contender, type Front, startFront } from './contenders.ts';
import { Ledger, type Tally } from './ledger.ts';
import type { Row } from './rows.ts';
import { scripts } from './scripts.ts';

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
  using folder = tempDir('storm-');
  const log = join(folder.path, 'runs.log');
  await using fpm = await startFpm({
    maxChildren: row.clients,
    ...row.fpm,
    files: scripts(log, row.work),
  });
  const { connections, pool, proxied = false } = row;
  const front = await startFront(contender, { fpm, connections, pool, proxied });
  const ledger = new Ledger();
  const calm = new AbortController();
  const weather = row.weather?.(fpm, calm.signal) ?? Promise.resolve(0);
  const begun = performance.now();
  let seconds: number;
  let blows: number;
  try {
    await (row.rate === undefined ? asAnswered : atRate(row.rate))(row, front, ledger, amount);
    seconds = (performance.now() - begun) / 1000;
  } finally {
    calm.abort();
    blows = await weather;
  }
  const retried = front.retried();
  await front.stop();
  await lastRuns(fpm);
  await ledger.readRuns(log);
  return { row, contender, tally: ledger.tally(), blows, retried, seconds };
}

/** Each client sends its next request when it has the answer to the one before. */
async function asAnswered(row: Row, front: Front, ledger: Ledger, amount: Amount): Promise<void> {
  const end = performance.now() + 1000 * amount.seconds;
  let left = amount.requests;
  const client = async (): Promise<void> => {
    while (left-- > 0 && performance.now() < end) await one(row, front, ledger);
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
  const shape = shapes[id % shapes.length] ?? 'get';
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
