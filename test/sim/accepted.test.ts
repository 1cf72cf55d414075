/** Behind a TCP proxy, in virtual time: each request waits until a worker has its connection. */
import { expect, it } from 'vitest';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

const TOLD = { proxied: true, backend: 'php-fpm', queueTimeout: 0 } as const;

it.each(['unexecuted', 'idempotent'] as const)(
  'sixty at once on two workers, again and again: all are answered, at the pace of the workers (retry %s)',
  async (retry) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 2 });
    const gateway = new SimGateway('g', time, fpm, 0.2, randomFrom(1), { ...TOLD, connections: 60, retry });
    for (let round = 0; round < 10; round++)
      gateway.at(1 + 400 * round, () => {
        for (let i = 0; i < 60; i++) gateway.ask({ ms: 10 });
      });
    await time.run(30_000);
    expect(gateway.asked).toHaveLength(600);
    expect(gateway.asked.filter(({ error }) => error !== '')).toEqual([]);
    // 30 pages of 10 ms one after the other, and two round trips for each.
    expect(Math.max(...gateway.asked.map(({ took }) => took))).toBeLessThan(30 * (10 + 2 * 0.4 + 0.4) + 50);
    expect([...fpm.ran.values()].filter((times) => times !== 1)).toEqual([]);
  },
);

/** The model's workers leave at once where they wait for a request, as PHP-FPM's do where it is not told to be graceful. */
it.each([1, 2, 3, 4, 5])(
  'reloads under load lose what is between an answer and its request, and run none twice (seed %i)',
  async (seed) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 3, maxRequests: 5 });
    const gateway = new SimGateway('g', time, fpm, 0.2, randomFrom(seed), { ...TOLD, connections: 12 });
    const chance = randomFrom(seed + 100);
    for (let at = 1; at < 5_000; at += 10 * chance())
      gateway.at(at, () => gateway.ask({ ms: 10 * chance() }));
    for (let at = 300; at < 5_000; at += 700) time.at(at + 100 * chance(), () => fpm.reload());
    await time.run(30_000);
    expect(gateway.asked.length).toBeGreaterThan(500);
    const failed = gateway.asked.filter(({ error }) => error !== '');
    expect(failed.filter(({ executed }) => executed !== 'unknown')).toEqual([]);
    // One of three workers, in one of seven reloads.
    expect(failed.length).toBeLessThanOrEqual(3);
    expect([...fpm.ran.values()].filter((times) => times !== 1)).toEqual([]);
  },
);
