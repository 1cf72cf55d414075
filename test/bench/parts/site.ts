/**
 * A whole site, as people run it: scripts, a front controller and files by `serve` and by `createHandler`, beside node:http with a
 * file's bytes in memory, nginx and Apache; and how soon `serve` answers after its start.
 *
 * Who is compared is measured in the same turn. php-fpm has a worker for each connection of them all.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fpm, startApache, startFpm, startNginx } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { median } from '../lib/measure.ts';
import { startServe } from '../lib/serve.ts';
import type { Row } from '../lib/table.ts';
import { wrk } from '../lib/wrk.ts';

const CONNECTIONS = 4;
const CLIENTS = 8;
const SCRIPT = '/index.php';
const PRETTY = '/articles/2026/a-pretty-url';
const FILE = '/style.css';
/** Two runs of the same program differ by up to a third, by how its code and its memory came to lie: more starts, and fewer turns of each. */
const STARTS = 7;
const TURNS = 2;
/** Seconds of load before anything is measured. */
const WARM_UP = 4;
/** Seconds that each is measured for in a turn. */
const WINDOW = 1;
/** ms from the start of `serve`, with a php-fpm of its own, to the answer of its first page. */
const SOON = 250;

/** They are as quick at once as ever. */
const COMPILED: ReadonlySet<string> = new Set(['nginx', 'Apache']);

type Contender = 'handler' | 'quiet' | 'logging' | 'floor' | 'nginx' | 'Apache';

interface Running {
  readonly url: string;
  stop(): Promise<unknown>;
}

export async function site(dist: URL, bundle: URL, turns: number, brief: boolean): Promise<Row[]> {
  await using fpm = await startFpm({
    transport: 'unix',
    maxChildren: 6 * CONNECTIONS,
    files: { 'index.php': '<?php echo "hello";' },
  });
  writeFileSync(join(fpm.root, FILE), 'a{b:c}\n'.repeat(500));
  const rates = new Map<string, number[]>();
  for (let start = 0; start < (brief ? 1 : STARTS); start++) {
    const running = await startAll(dist, bundle, fpm);
    try {
      for (const paths of [[SCRIPT, PRETTY], [FILE]]) {
        const asked = paths
          .flatMap((path) =>
            Object.entries(running).map(([name, { url }]) => ({ name, path, url: url + path })),
          )
          .filter(({ name, path }) => name !== 'floor' || path === FILE);
        // Node compiles what is in use for seconds: who runs less code is done sooner, which is no part of the comparison.
        for (const { name, url } of asked)
          if (!COMPILED.has(name)) await wrk(url, CLIENTS, brief ? 1 : WARM_UP);
        for (let turn = 0; turn < (brief ? 1 : TURNS); turn++) {
          // Nobody is always the first, or always behind the same one.
          const first = (start + 3 * turn) % asked.length;
          for (const { name, path, url } of [...asked.slice(first), ...asked.slice(0, first)]) {
            const { rate, errors } = await wrk(url, CLIENTS, WINDOW);
            if (errors > 0) throw new Error(`${name}: ${errors} of the answers to ${path} were wrong`);
            rates.set(name + path, [...(rates.get(name + path) ?? []), rate]);
          }
        }
      }
    } finally {
      for (const { stop } of Object.values(running)) await stop();
    }
  }
  const row = (what: string, one: [Contender, string], other: [Contender, string], least?: number): Row =>
    compared(what, one, other, rates, least);
  return [
    row('a pretty URL by serve', ['quiet', PRETTY], ['handler', SCRIPT], 0.95),
    row('a script by serve', ['quiet', SCRIPT], ['handler', SCRIPT], 0.95),
    row('the access log, a hello page', ['logging', SCRIPT], ['quiet', SCRIPT], 0.95),
    row('the access log, a file', ['logging', FILE], ['quiet', FILE], 0.95),
    row('a file of 3.5 KiB by the handler', ['handler', FILE], ['floor', FILE], 0.9),
    row('a file of 3.5 KiB by serve', ['quiet', FILE], ['floor', FILE], 0.9),
    row('a file of 3.5 KiB by serve', ['quiet', FILE], ['nginx', FILE]),
    row('a file of 3.5 KiB by serve', ['quiet', FILE], ['Apache', FILE]),
    row('a pretty URL by serve', ['quiet', PRETTY], ['nginx', PRETTY]),
    row('a pretty URL by serve', ['quiet', PRETTY], ['Apache', PRETTY]),
    await startUp(dist, fpm.root, turns),
  ];
}

async function startAll(dist: URL, bundle: URL, fpm: Fpm): Promise<Record<Contender, Running>> {
  const upstream = [
    '--upstream',
    `${fpm.address}`,
    '--connections',
    String(CONNECTIONS),
    '--front-controller',
    SCRIPT,
  ];
  const child = async (name: string, ...args: string[]): Promise<Running> => {
    const started = await startChild(bundle, name, args);
    return { url: started.address, stop: () => started.stop() };
  };
  return {
    handler: await child('gateway', fpm.address, fpm.root, String(CONNECTIONS), 'site'),
    quiet: await startServe(dist, fpm.root, [...upstream, '--quiet']),
    logging: await startServe(dist, fpm.root, [
      ...upstream,
      '--access-log',
      join(fpm.root, '..', 'access.log'),
    ]),
    floor: await child('file-floor', join(fpm.root, FILE)),
    nginx: await startNginx({ fpm, keepalive: CONNECTIONS, frontController: SCRIPT }),
    Apache: await startApache({ fpm, keepalive: CONNECTIONS, extra: `FallbackResource ${SCRIPT}` }),
  };
}

function compared(
  what: string,
  [ours, path]: [Contender, string],
  [other, its]: [Contender, string],
  rates: ReadonlyMap<string, readonly number[]>,
  least?: number,
): Row {
  const [a = [], b = []] = [rates.get(ours + path), rates.get(other + its)];
  const shown = (all: readonly number[]): string => `${median(all).toFixed(0)} a second`;
  return {
    what: `${what}, ${CLIENTS} clients`,
    ours: `${ours} ${shown(a)}`,
    other: `${other} ${shown(b)}`,
    // Turn by turn: the machine may change its speed by a third within a minute.
    ratio: median(a.map((rate, turn) => rate / (b[turn] ?? rate))),
    ...(least === undefined ? {} : { least }),
  };
}

async function startUp(dist: URL, root: string, turns: number): Promise<Row> {
  const times: number[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const begun = performance.now();
    const serve = await startServe(dist, root, ['--quiet']);
    const answer = await fetch(serve.url + SCRIPT);
    if ((await answer.text()) !== 'hello') throw new Error('the first page is not what it should be');
    if (turn > 0) times.push(performance.now() - begun);
    await serve.stop();
  }
  const time = median(times);
  const what = 'serve with its own php-fpm, from start to the first page, ms';
  return { what, ours: time.toFixed(0), other: String(SOON), ratio: time / SOON, most: 1 };
}
