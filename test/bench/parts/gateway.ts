/**
 * HTTP: our gateway beside node:http with the client floor, and nginx; each has a php-fpm of its own.
 *
 * Which p99 can be compared: where there are more clients than workers, nginx serves some of them and leaves the others
 * without an answer (its kept connections keep the workers; wrk counts errors), and its p99 is that of the lucky ones. With 8
 * clients and 500 answers a second the mean is 16 ms for whoever serves them all. So the goal is set where there is a worker for
 * each client, and the rest is for information. There it is a multiple of the kernel's time slice for all three, and moves by a
 * hundredth from run to run.
 */
import { type Fpm, startFpm, startNginx } from '../../fpm/support/index.ts';
import { type Child, startChild } from '../lib/child.ts';
import { median } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';
import { type Load, wrk } from '../lib/wrk.ts';

interface Case {
  readonly page: string;
  readonly of: string;
  readonly workers: number;
  readonly clients: number;
  /** As a user has it who sets nothing. Else each keeps one connection for each worker, for a minute. */
  readonly isDefault?: true;
}

const files = {
  'hello.php': '<?php echo "hello";',
  'work.php': '<?php $end = hrtime(true) + 5_000_000; while (hrtime(true) < $end); echo "done";',
  // They wait for a database, so that the workers are the bottleneck and not the machine.
  'sleep25.php': '<?php usleep(25_000); echo "done";',
  'sleep100.php': '<?php usleep(100_000); echo "done";',
};

interface Contender {
  readonly name: 'ours' | 'floor' | 'nginx';
  readonly url: string;
  readonly loads: Load[];
}

export async function gateway(bundle: URL, seconds: number, turns: number, isBrief: boolean): Promise<Row[]> {
  const hello = { page: 'hello.php', of: 'a hello page' };
  const cases: Case[] = [
    { ...hello, workers: 4, clients: 8 },
    { ...hello, workers: 4, clients: 8, isDefault: true },
    // a connection is idle between two requests, and what the pool does with idle ones shows nowhere else
    { ...hello, workers: 8, clients: 4, isDefault: true },
    { page: 'sleep25.php', of: 'a page of 25 ms', workers: 4, clients: 8 },
    { page: 'work.php', of: 'a page of 5 ms', workers: 4, clients: 8 },
    { page: 'work.php', of: 'a page of 5 ms', workers: 4, clients: 4 },
    { page: 'sleep100.php', of: 'a page of 100 ms', workers: 4, clients: 8 },
  ];
  const rows: Row[] = [];
  for (const one of isBrief ? cases.slice(0, 4) : cases)
    rows.push(...(await compare(bundle, one, seconds, turns)));
  return rows;
}

async function compare(
  bundle: URL,
  { page, of, workers, clients, isDefault }: Case,
  seconds: number,
  turns: number,
): Promise<Row[]> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const contenders: Contender[] = [];
    for (const name of ['ours', 'floor', 'nginx'] as const) {
      const fpm = await startFpm({ transport: 'unix', maxChildren: workers, files });
      stops.unshift(() => fpm.stop());
      const { url, stop } = await start(name, bundle, fpm, workers, page, isDefault);
      stops.unshift(stop);
      contenders.push({ name, url: `${url}/${page}`, loads: [] });
    }
    for (let turn = 0; turn <= turns; turn++) {
      for (const { url, loads } of contenders) {
        const load = await wrk(url, clients, turn === 0 ? 1 : seconds);
        if (turn > 0) loads.push(load);
      }
    }
    const [ours, floor, nginx] = contenders.map(({ loads }) => summary(loads));
    if (!ours || !floor || !nginx) return [];
    const isHello = page === 'hello.php';
    const isCrowd = clients > workers;
    const what = `${of}, ${clients} clients on ${workers} workers${isDefault ? ', default options' : ''}`;
    const least = isHello ? 0.75 : 1;
    return [
      row(`${what}: throughput`, ours.rate, 'floor', floor.rate, ' a second', isHello ? { least: 0.92 } : {}),
      row(`${what}: throughput`, ours.rate, 'nginx', nginx.rate, ' a second', isCrowd ? { least } : {}),
      row(`${what}: p99`, ours.p99, 'floor', floor.p99, ' ms', {}),
      row(`${what}: p99`, ours.p99, 'nginx', nginx.p99, ' ms', isCrowd ? {} : { most: 1 }),
      {
        what: `${what}: errors`,
        ours: String(ours.errors),
        other: `nginx ${nginx.errors}`,
        ratio: ours.errors,
        most: 0,
      },
    ];
  } finally {
    for (const stop of stops) await stop();
  }
}

async function start(
  name: Contender['name'],
  bundle: URL,
  fpm: Fpm,
  connections: number,
  page: string,
  isDefault = false,
): Promise<{ url: string; stop: () => Promise<unknown> }> {
  if (name === 'nginx') {
    const nginx = await startNginx({ fpm, keepalive: connections });
    return { url: nginx.url, stop: () => nginx.stop() };
  }
  const kept = name === 'ours' && isDefault ? 'default' : String(connections);
  const args = [fpm.address, fpm.root, kept, name === 'floor' ? `/${page}` : ''];
  const child: Child = await startChild(bundle, name === 'ours' ? 'gateway' : 'gateway-floor', args);
  return { url: child.address, stop: () => child.stop() };
}

function summary(loads: readonly Load[]): Load {
  return {
    rate: median(loads.map(({ rate }) => rate)),
    p99: median(loads.map(({ p99 }) => p99)),
    errors: loads.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function row(
  what: string,
  ours: number,
  name: string,
  other: number,
  unit: string,
  goal: { most?: number; least?: number },
): Row {
  const shown = (value: number): string =>
    (value >= 100 ? Math.round(value).toString() : value.toFixed(2)) + unit;
  return { what, ours: shown(ours), other: `${name} ${shown(other)}`, ratio: ours / other, ...goal };
}
