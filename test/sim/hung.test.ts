/** One host of several hangs, in virtual time: what many requests at once lose to it. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

const TIMEOUT = 60_000;
const WORKERS = 4;
/** So many times as long as elsewhere a script takes that hangs. */
const HANGS = 1e6;

interface Burst {
  /** ms of script. */
  readonly page: number;
  readonly size: number;
  readonly connections: number;
  readonly hosts?: number;
  /**
   * The first host. 'host': nobody accepts. 'scripts': php-fpm is well, and no script ends. 'stopped': it is stopped once it has
   * answered requests, and these are not counted.
   */
  readonly hangs: 'host' | 'scripts' | 'stopped' | 'nothing';
}

async function burst({ page, size, connections, hosts = 2, hangs }: Burst): Promise<readonly Asked[]> {
  await import('generic-pool');
  const time = new VirtualTime();
  const first = { workers: hangs === 'host' ? 0 : WORKERS, slowness: hangs === 'scripts' ? HANGS : 1 };
  const others = Array.from({ length: hosts - 1 }, () => new SimFpm(time, { workers: WORKERS }));
  const fpms = [new SimFpm(time, first), ...others];
  const options = { connections, headersTimeout: TIMEOUT, queueTimeout: 0, queueSize: size };
  const gateway = new SimGateway('g', time, fpms, 0.2, randomFrom(1), options);
  const before = hangs === 'stopped' ? 20 : 0;
  for (let i = 0; i < before; i++) gateway.at(1 + 20 * i, () => gateway.ask({ ms: 5 }));
  gateway.at(1 + 20 * before, () => {
    if (fpms[0] !== undefined) fpms[0].isStopped = hangs === 'stopped';
    for (let i = 0; i < size; i++) gateway.ask({ ms: page });
  });
  await time.run(3 * TIMEOUT);
  expect(gateway.asked.slice(0, before).filter(({ error }) => error !== '')).toEqual([]);
  return gateway.asked.slice(before);
}

const lastOf = (asked: readonly Asked[]): number => Math.max(...asked.map(({ took }) => took));

function errorsOf(asked: readonly Asked[]): readonly string[] {
  return asked.map(({ error }) => error).filter((error) => error !== '');
}

const TWO = Array(2).fill('FCGI_ERR_HEADERS_TIMEOUT');
const SIZES = [
  [10, 4],
  [40, 8],
  [100, 8],
  [40, 32],
] as const;

describe.each([5, 50, 150, 500, 2_000])(
  'a burst over two hosts that nobody has asked before, pages of %i ms',
  (page) => {
    it.each(SIZES)(
      '%i at once over %i connections: two wait for a host that hangs, and no more',
      async (size, connections) => {
        expect(errorsOf(await burst({ page, size, connections, hangs: 'host' }))).toEqual(TWO);
      },
    );

    it('is held up by one page at the most, and by a second, where both are well', async () => {
      const asked = await burst({ page, size: 40, connections: 8, hangs: 'nothing' });
      expect(errorsOf(asked)).toEqual([]);
      // 5 rounds over all workers, and the time in which nobody has answered yet.
      expect(lastOf(asked)).toBeLessThan(5 * 1.02 * page + Math.min(page, 1_000) + 100);
    });
  },
);

describe('a host whose scripts hang', () => {
  describe.each([5, 50, 150, 300])('pages of %i ms elsewhere', (page) => {
    it.each([
      [10, 4],
      [16, 8],
      [50, 8],
      [50, 32],
    ])('%i at once over %i connections: two wait for it, and no more', async (size, connections) => {
      expect(errorsOf(await burst({ page, size, connections, hangs: 'scripts' }))).toEqual(TWO);
    });

    it.each([3, 10])('one of %i hosts: the same', async (hosts) => {
      const asked = await burst({ page, size: 100, connections: 8, hosts, hangs: 'scripts' });
      expect(errorsOf(asked)).toEqual(TWO);
    });
  });

  it('where a page elsewhere takes almost a second, two wait for it', async () => {
    const asked = await burst({ page: 950, size: 16, connections: 8, hangs: 'scripts' });
    expect(errorsOf(asked)).toEqual(TWO);
  });

  it('where others wait for 5 s and more, it gets one more each time that it is asked, as it may just be slow', async () => {
    const asked = await burst({ page: 500, size: 100, connections: 8, hangs: 'scripts' });
    // At 5 s; the queue is gone before 15 s.
    expect(errorsOf(asked)).toEqual([...TWO, TWO[0]]);
  });
});

describe.each([5, 50, 500, 2_000])('a host that has answered, and is stopped, pages of %i ms', (page) => {
  it.each(SIZES)(
    '%i at once over %i connections: two wait for it, and no more',
    async (size, connections) => {
      expect(errorsOf(await burst({ page, size, connections, hangs: 'stopped' }))).toEqual(TWO);
    },
  );
});

it('a cold start on slow pages, four fifths of what two hosts can do: nobody is refused', async () => {
  await import('generic-pool');
  const time = new VirtualTime();
  const fpms = [1, 2].map(() => new SimFpm(time, { workers: 8 }));
  const gateway = new SimGateway('g', time, fpms, 0.2, randomFrom(10), {});
  const chance = randomFrom(3);
  const page = 800;
  for (let at = 1; at < 6_000; at += (page / (16 * 0.8)) * -Math.log(1 - chance()))
    gateway.at(at, () => gateway.ask({ ms: page * (0.5 + chance()) }));
  await time.run(60_000);
  expect(gateway.asked.length).toBeGreaterThan(60);
  expect(errorsOf(gateway.asked)).toEqual([]);
});
