/** Scenarios that broke a promise once. */
import { expect, it } from 'vitest';
import { brokenPromises } from './laws.ts';
import { play, type Scenario } from './scenario.ts';

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
