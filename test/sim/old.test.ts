/** A pool that has been through something is no worse, once that is over, than one that is new. */
import { expect, it } from 'vitest';
import type { Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

const S = 1_000;

it.each([2, 3, 4])(
  'scripts that ran on behind their answers held all workers a while ago: of many requests at once none is refused now (seed %i)',
  async (seed) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 8 });
    const gateway = new SimGateway('g', time, fpm, 0, randomFrom(seed), {});
    const random = randomFrom(seed + 100);
    const visit = (): void => {
      if (time.now > 60 * S) return;
      const tail = [0, 0, 1, 10][Math.floor(4 * random())] ?? 0;
      gateway.ask({ ms: 120, tail: tail * S }, () => gateway.at(time.now + 100, visit));
    };
    for (let i = 0; i < 3; i++) gateway.at(1, visit);
    const burst: Asked[] = [];
    gateway.at(120 * S, () => {
      for (let i = 0; i < 56; i++) burst.push(gateway.ask({ ms: 100 }));
    });
    await time.run(150 * S);
    expect(burst).toHaveLength(56);
    expect(burst.filter(({ error }) => error !== '')).toEqual([]);
  },
);

it.each([2, 3, 4])(
  'clients left an hour ago, as pages took too long: who comes now is not taken for as impatient (seed %i)',
  async (seed) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 8 });
    const gateway = new SimGateway('g', time, fpm, 0, randomFrom(seed), {});
    const random = randomFrom(seed + 100);
    const leave = (): void => {
      if (time.now > 60 * S) return;
      gateway.ask({ ms: 700, giveUp: 800 + 300 * random() }, () => gateway.at(time.now + 100, leave));
    };
    for (let i = 0; i < 24; i++) gateway.at(1, leave);
    const now: Asked[] = [];
    const ask = (): void => {
      if (time.now > 3_630 * S) return;
      now.push(gateway.ask({ ms: 700 }, () => gateway.at(time.now + 100, ask)));
    };
    for (let i = 0; i < 16; i++) gateway.at(3_600 * S, ask);
    await time.run(3_700 * S);
    expect(now.length).toBeGreaterThan(250);
    expect(now.filter(({ error }) => error !== '')).toEqual([]);
  },
);

it.each([1, 2, 3])(
  'all clients left early, for long: who comes alone afterwards, while all workers are idle, is answered (seed %i)',
  async (seed) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 8 });
    const gateway = new SimGateway('g', time, fpm, 0, randomFrom(seed), {});
    const random = randomFrom(seed + 100);
    const leave = (): void => {
      if (time.now > 30 * S) return;
      gateway.ask({ ms: 700, giveUp: 800 + 300 * random() }, () => gateway.at(time.now + 100, leave));
    };
    for (let i = 0; i < 24; i++) gateway.at(1, leave);
    const now: Asked[] = [];
    const ask = (): void => {
      if (time.now > 50 * S) return;
      now.push(gateway.ask({ ms: 20 }, () => gateway.at(time.now + 100, ask)));
    };
    gateway.at(40 * S, ask);
    await time.run(60 * S);
    expect(now.length).toBeGreaterThan(50);
    expect(now.filter(({ error }) => error !== '')).toEqual([]);
  },
);

it.each([1, 2])(
  'php-fpm was restarted for longer than a second: behind that nobody is refused, as the workers are there again (seed %i)',
  async (seed) => {
    await import('generic-pool');
    const time = new VirtualTime();
    const fpm = new SimFpm(time, { workers: 4, reloadTime: 1_500 });
    const random = randomFrom(seed + 100);
    const gateways = [1, 2].map((nth) => new SimGateway('g', time, fpm, 0, randomFrom(seed * 5 + nth), {}));
    const asked: Asked[] = [];
    for (const gateway of gateways) {
      const ask = (): void => {
        if (time.now > 12 * S) return;
        const again = (): void => gateway.at(time.now + 5 + 20 * random(), ask);
        asked.push(gateway.ask({ ms: 5 + 20 * random(), put: random() < 0.6 }, again));
      };
      for (let i = 0; i < 6; i++) gateway.at(1, ask);
    }
    for (const at of [3, 6, 9]) time.at(at * S, () => fpm.reload());
    await time.run(30 * S);
    expect(asked.length).toBeGreaterThan(1_000);
    expect(asked.filter(({ error }) => error !== '')).toEqual([]);
  },
);
