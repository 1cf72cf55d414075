/** Over tcp, with a kernel that acknowledges late on connections that go back and forth: see src/pool/learned/delayed-acks.ts. */
import { describe, expect, it } from 'vitest';
import { type Outcome, play, type Scenario } from './scenario.ts';

/** ms, one way. */
const LOOPBACK = 0.05;

interface Late {
  readonly isLong?: boolean;
  readonly lateAcks: number;
  readonly workers: number;
  readonly page: number;
  readonly ms: number;
}

function closed({ lateAcks, workers, page, ms, isLong = true }: Late, keepalive?: number): Promise<Outcome> {
  const scenario: Scenario = {
    seed: 1,
    latency: LOOPBACK,
    lateAcks,
    gateways: 1,
    pages: [page],
    clients: 2 * workers,
    ms,
    fpm: { workers, isLong },
    options: { connections: workers, ...(keepalive === undefined ? {} : { keepalive }) },
  };
  return play(scenario);
}

function answers({ asked }: Outcome): number {
  return asked.filter(({ error }) => error === '').length;
}

describe.each([1, 0.1])('where a share of %d is acknowledged late', (lateAcks) => {
  it.each([
    [1, 2, 8_000],
    [8, 5, 4_000],
    [8, 25, 4_000],
    [32, 10, 2_000],
  ])(
    '%i workers do what they do where nothing is kept (pages of %d ms, in %i ms)',
    async (workers, page, ms) => {
      const late = { lateAcks, workers, page, ms };
      const [kept, fresh] = await Promise.all([closed(late), closed(late, 0)]);
      expect(answers(kept)).toBeGreaterThan(0.85 * answers(fresh));
    },
  );
});

it('pages that come in one piece wait for no acknowledgement: their connections are kept', async () => {
  const { gateways } = await closed({ lateAcks: 1, isLong: false, workers: 4, page: 5, ms: 2_000 });
  expect(gateways[0]?.stats.closed['not-kept']).toBe(0);
});
