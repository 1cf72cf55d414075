/** The simulator is worth what its model is: the same scenarios in virtual time and on the real PHP-FPM. */
import { describe, expect, it } from 'vitest';
import { brokenPromises } from './laws.ts';
import { playReal } from './real.ts';
import { play, type Scenario } from './scenario.ts';

const cases: readonly [string, Omit<Scenario, 'seed' | 'gateways'> & { gateways?: number }][] = [
  ['one worker', { fpm: { workers: 1 }, pages: [10], clients: 3, ms: 900 }],
  ['two workers, 8 connections', { fpm: { workers: 2 }, pages: [5], clients: 8, ms: 900 }],
  [
    'three workers, nothing kept',
    { fpm: { workers: 3 }, pages: [20], clients: 8, ms: 900, options: { keepalive: 0 } },
  ],
  [
    'four workers, pages of 10 to 40 ms',
    {
      fpm: { workers: 4 },
      pages: [10, 40],
      between: true,
      clients: 12,
      ms: 1_500,
      options: { connections: 4 },
    },
  ],
  [
    'fewer connections than workers',
    { fpm: { workers: 4 }, pages: [25], clients: 6, ms: 900, options: { connections: 2 } },
  ],
  ['half of what the workers can do', { fpm: { workers: 2 }, pages: [20], rate: 50, ms: 1_500 }],
  ['twice as much as they can', { fpm: { workers: 2 }, pages: [20], rate: 200, giveUp: 2_000, ms: 1_500 }],
  [
    'recycled every 10 requests',
    { fpm: { workers: 2, maxRequests: 10 }, pages: [20], clients: 4, ms: 1_200 },
  ],
  [
    'recycled after each request',
    { fpm: { workers: 2, maxRequests: 1 }, pages: [40], clients: 4, ms: 1_200 },
  ],
  ['reload that waits', { fpm: { workers: 4 }, pages: [25], clients: 6, reloadEvery: 700, ms: 1_400 }],
  [
    'reload that kills',
    { fpm: { workers: 4, waits: false }, pages: [25], clients: 6, reloadEvery: 700, ms: 1_400 },
  ],
  [
    'a worker killed every 150 ms',
    { fpm: { workers: 4 }, pages: [25], clients: 6, killEvery: 150, ms: 1_200 },
  ],
  [
    'a tail behind every fifth response',
    { fpm: { workers: 3 }, pages: [20], clients: 6, tails: { share: 0.2, ms: 60 }, ms: 1_200 },
  ],
  ['two gateways', { fpm: { workers: 3 }, pages: [15], clients: 4, gateways: 2, ms: 1_200 }],
];

/** A burst of work on the machine in the middle of one run must not refute the model; three in a row do. */
const TRIES = 3;

describe('in virtual time and on the real PHP-FPM alike', { timeout: 30_000 }, () => {
  it.each(cases)('%s: no promise is broken, and as many are answered', async (_, given) => {
    const scenario: Scenario = { seed: 7, gateways: 1, ...given };
    const differences: string[] = [];
    while (differences.length < TRIES) {
      const real = await playReal(scenario);
      expect(brokenPromises(scenario, real)).toEqual([]);
      const model = await play({ ...scenario, fpm: { ...scenario.fpm, ...real.machine } });
      expect(brokenPromises(scenario, model)).toEqual([]);
      const served = model.asked.filter(({ at, took, error }) => error === '' && at + took < scenario.ms);
      // Where a machine forks slowly there are ten answers in all, and one at each end is chance.
      if (Math.abs(real.served - served.length) <= Math.max(0.1 * served.length, 2)) return;
      differences.push(
        `${real.served} answers, in virtual time ${served.length}; ${JSON.stringify(real.machine)}`,
      );
    }
    expect(differences).toEqual([]);
  });
});
