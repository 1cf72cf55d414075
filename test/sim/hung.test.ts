/** A host that hangs from the beginning, of two, in virtual time: what many requests at once lose to it. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimGateway } from './gateway.ts';
import { randomFrom, VirtualTime } from './time.ts';

const TIMEOUT = 60_000;
const WORKERS = 4;

interface Burst {
  /** ms of script. */
  readonly page: number;
  readonly size: number;
  readonly connections: number;
}

/** A burst is the first that is asked of two hosts. One that hangs has no worker that would accept. */
async function burst({ page, size, connections }: Burst, hangs: boolean): Promise<readonly Asked[]> {
  await import('generic-pool');
  const time = new VirtualTime();
  const hosts = [hangs ? 0 : WORKERS, WORKERS].map((workers) => new SimFpm(time, { workers }));
  const options = { connections, headersTimeout: TIMEOUT, queueTimeout: 0, queueSize: size };
  const gateway = new SimGateway('g', time, hosts, 0.2, randomFrom(1), options);
  gateway.at(1, () => {
    for (let i = 0; i < size; i++) gateway.ask({ ms: page });
  });
  await time.run(2 * TIMEOUT);
  return gateway.asked;
}

const lastOf = (asked: readonly Asked[]): number => Math.max(...asked.map(({ took }) => took));

describe.each([5, 50, 150, 500, 2_000])(
  'a burst over two hosts that nobody has asked before, pages of %i ms',
  (page) => {
    it.each([
      [10, 4],
      [40, 8],
      [100, 8],
      [40, 32],
    ])(
      '%i at once over %i connections: two wait for a host that hangs, and no more',
      async (size, connections) => {
        const asked = await burst({ page, size, connections }, true);
        expect(asked.filter(({ error }) => error !== '').map(({ error }) => error)).toEqual(
          Array(2).fill('FCGI_ERR_HEADERS_TIMEOUT'),
        );
      },
    );

    it('is not held up where both are well', async () => {
      const asked = await burst({ page, size: 40, connections: 8 }, false);
      expect(asked.filter(({ error }) => error !== '')).toEqual([]);
      // 5 rounds over all workers, and the time in which nobody has answered yet.
      expect(lastOf(asked)).toBeLessThan(5 * 1.02 * page + 150);
    });
  },
);
