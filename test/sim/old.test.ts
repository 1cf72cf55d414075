/** A pool that has been through something is no worse, once that is over, than one that is new. */
import { expect, it } from 'vitest';
import type { Ask, Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

const S = 1_000;

interface Setup {
  readonly time: VirtualTime;
  /** Asks once and again, 100 ms after each answer. Tells of all that were asked. */
  client(from: number, until: number, ask: () => Ask): Asked[];
}

/** Eight workers, and a pool with default options. */
async function setUp(seed: number): Promise<Setup & { readonly gateway: SimGateway }> {
  await import('generic-pool');
  const time = new VirtualTime();
  const gateway = new SimGateway('g', time, new SimFpm(time, { workers: 8 }), 0, randomFrom(seed), {});
  const client = (from: number, until: number, ask: () => Ask): Asked[] => {
    const asked: Asked[] = [];
    const again = (): void => {
      if (time.now <= until) asked.push(gateway.ask(ask(), () => gateway.at(time.now + 100, again)));
    };
    gateway.at(from, again);
    return asked;
  };
  return { time, gateway, client };
}

/** Pages take 700 ms for a while, with more clients than workers, who leave after 800 to 1,100 ms. */
function impatient({ client }: Setup, seed: number, until: number): void {
  const random = randomFrom(seed + 100);
  for (let i = 0; i < 24; i++) client(1, until, () => ({ ms: 700, giveUp: 800 + 300 * random() }));
}

function failed(asked: readonly Asked[]): Asked[] {
  return asked.filter(({ error }) => error !== '');
}

it.each([2, 3, 4])(
  'scripts that ran on behind their answers held all workers a while ago: of many requests at once none is refused now (seed %i)',
  async (seed) => {
    const { time, gateway, client } = await setUp(seed);
    const random = randomFrom(seed + 100);
    const tail = (): number => S * ([0, 0, 1, 10][Math.floor(4 * random())] ?? 0);
    for (let i = 0; i < 3; i++) client(1, 60 * S, () => ({ ms: 120, tail: tail() }));
    const burst: Asked[] = [];
    gateway.at(120 * S, () => {
      for (let i = 0; i < 56; i++) burst.push(gateway.ask({ ms: 100 }));
    });
    await time.run(150 * S);
    expect(burst).toHaveLength(56);
    expect(failed(burst)).toEqual([]);
  },
);

it.each([2, 3, 4])(
  'clients left an hour ago, as pages took too long: who comes now is not taken for as impatient (seed %i)',
  async (seed) => {
    const set = await setUp(seed);
    impatient(set, seed, 60 * S);
    const now = Array.from({ length: 16 }, () => set.client(3_600 * S, 3_630 * S, () => ({ ms: 700 })));
    await set.time.run(3_700 * S);
    expect(now.flat().length).toBeGreaterThan(250);
    expect(failed(now.flat())).toEqual([]);
  },
);

it.each([1, 2, 3])(
  'all clients left early, for long: who comes alone afterwards, while all workers are idle, is answered (seed %i)',
  async (seed) => {
    const set = await setUp(seed);
    impatient(set, seed, 30 * S);
    const now = set.client(40 * S, 50 * S, () => ({ ms: 20 }));
    await set.time.run(60 * S);
    expect(now.length).toBeGreaterThan(50);
    expect(failed(now)).toEqual([]);
  },
);
