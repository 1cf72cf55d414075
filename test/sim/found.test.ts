/** Scenarios that broke a promise once. */
import { expect, it } from 'vitest';
import type { PoolOptions } from '../../src/pool/options.ts';
import type { Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { brokenPromises } from './laws.ts';
import { play, type Scenario } from './scenario.ts';
import { randomFrom, VirtualTime } from './time.ts';

const cases: readonly [string, Scenario][] = [
  [
    'a connection that was waited for, until it was sure that it is kept, is not closed as idle under the request that waited',
    {
      seed: 122,
      pages: [47, 420, 14],
      latency: 0.05,
      gateways: 1,
      fpm: { workers: 6, pm: 'ondemand' },
      tails: { share: 1, ms: 740 },
      clients: 1,
      options: { connections: 1 },
      ms: 4_000,
    },
  ],
];

it.each(cases)('%s', async (_, scenario) => {
  expect(brokenPromises(scenario, await play(scenario))).toEqual([]);
});

it('while one connection is asked what the server is, the others wait for its answer and no longer', async () => {
  const outcome = await play({
    seed: 10_202,
    pages: [1],
    latency: 0.05,
    gateways: 8,
    fpm: { workers: 12 },
    clients: 8,
    options: { connections: 4 },
    ms: 45,
  });
  expect(outcome.used).toBeGreaterThan(0.8);
});

it('whoever needs the worker of an idle connection has it within 50 ms, where connecting costs nothing', async () => {
  const { visitor } = await play({
    seed: 1,
    pages: [2],
    gateways: 1,
    fpm: { workers: 1 },
    burst: { every: 130, size: 1 },
    visitorEvery: 50,
    ms: 10_000,
  });
  // Its own page, and one that runs.
  const most = 50 + 2 * 2.1;
  expect(visitor?.asked.length).toBeGreaterThan(100);
  expect(visitor?.asked.filter(({ took }) => took < 0 || took > most)).toEqual([]);
});

it('scripts that all go on behind their responses do not hide that it is PHP-FPM: no request waits behind one', async () => {
  await import('generic-pool');
  const time = new VirtualTime();
  const fpm = new SimFpm(time, { workers: 4 });
  const gateway = new SimGateway('g', time, fpm, 0, randomFrom(1), {});
  const script = { ms: 20, tail: 400 };
  // Whenever the server is asked behind a response what it is, that worker is busy.
  for (let at = 0; at < 80_000; at += 2_000) gateway.at(at, () => gateway.ask(script));
  const behind: Asked[] = [];
  gateway.at(81_000, () => gateway.ask(script, () => behind.push(gateway.ask(script))));
  await time.run(90_000);
  expect(behind.map(({ error, took }) => [error, took < script.tail])).toEqual([['', true]]);
});

it.each([100, 400])(
  'a worker that is known to go on for %i ms behind its response is not waited for where another one is free',
  async (tail) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 4 });
    const gateway = new SimGateway('g', time, fpm, 0, randomFrom(1), {});
    const script = { ms: 5, tail };
    for (let at = 0; at < 4_000; at += 1_000) gateway.at(at, () => gateway.ask(script));
    const behind: Asked[] = [];
    gateway.at(5_000, () => gateway.ask(script, () => behind.push(gateway.ask(script))));
    await time.run(9_000);
    // Its own script, and getting connected.
    expect(behind.map(({ error, took }) => [error, took <= 7])).toEqual([['', true]]);
  },
);

/** Of all answers: so many cost a kept connection, and a connect. */
async function yielded(page: number, options: PoolOptions): Promise<number> {
  const { gateways, used } = await play({
    seed: 7,
    pages: [page],
    gateways: 1,
    fpm: { workers: 4 },
    clients: 8,
    options,
    ms: 3_000,
  });
  expect(used).toBeGreaterThan(0.9);
  const { served, closed } = gateways[0]?.stats ?? { served: 0, closed: { yield: 0 } };
  expect(served).toBeGreaterThan(500);
  return closed.yield / served;
}

it.each([
  ['by default', {}],
  ['with 64 connections', { connections: 64 }],
])('quick pages of more clients than there are workers cost few connects %s', async (_, options) => {
  expect(await yielded(0.3, options)).toBeLessThan(0.05);
});

it.each([1, 2])(
  'as many requests at once as there may be connections are never refused, where %i may wait for one',
  async (queueSize) => {
    const { gateways } = await play({
      seed: 7,
      pages: [5],
      gateways: 1,
      fpm: { workers: 4 },
      clients: 8,
      options: { queueSize },
      ms: 3_000,
    });
    expect(gateways[0]?.stats.served).toBeGreaterThan(500);
    expect(gateways[0]?.stats.refused).toBe(0);
  },
);

it('a key stays on its server where that has fewer workers than requests, and no more than a quarter above its share', async () => {
  await import('generic-pool');
  const time = new VirtualTime();
  const hosts = [new SimFpm(time, { workers: 4 }), new SimFpm(time, { workers: 4 })];
  let key = '';
  const options = { balance: 'hash', hashKey: () => key } as const;
  const gateway = new SimGateway('g', time, hosts, 0.05, randomFrom(1), options);
  const ran = new Map<string, number[]>();
  const client = (mine: string): void => {
    if (time.now > 3_000) return;
    key = mine;
    const { id } = gateway.ask({ ms: 5 }, () => {
      const counts = ran.get(mine) ?? [0, 0];
      ran.set(mine, counts);
      hosts.forEach((host, nth) => {
        counts[nth] = (counts[nth] ?? 0) + (host.ran.get(id) ?? 0);
      });
      client(mine);
    });
  };
  // The first choice of one server, and of the other: five on four workers, and three.
  for (const [nth, mine] of ['a', 'a', 'a', 'a', 'a', 'c', 'c', 'c'].entries())
    gateway.at(nth, () => client(mine));
  await time.run(5_000);
  const [[a0 = 0, a1 = 0] = [], [c0 = 0, c1 = 0] = []] = [ran.get('a'), ran.get('c')];
  expect(a0 + c1).toBeGreaterThan(0.98 * (a0 + a1 + c0 + c1));
});
