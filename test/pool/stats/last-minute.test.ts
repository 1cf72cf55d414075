import { expect, it } from 'vitest';
import { Durations } from '../../../src/pool/stats/durations.ts';
import { SimFpm } from '../../sim/fpm.ts';
import { SimGateway } from '../../sim/gateway.ts';
import { randomFrom, VirtualTime } from '../../sim/time.ts';

const MINUTE = 60_000;

async function poolOf(): Promise<{ time: VirtualTime; gateway: SimGateway }> {
  await import('generic-pool');
  const time = new VirtualTime();
  const fpm = new SimFpm(time, { workers: 2 });
  return { time, gateway: new SimGateway('g', time, fpm, 0, randomFrom(1), {}) };
}

it('stats tell of the last minute, also where nobody has asked for anything since', async () => {
  const { time, gateway } = await poolOf();
  gateway.at(1, () => gateway.ask({ ms: 5_000 }));
  await time.run(20_000);
  expect(gateway.stats.running).toMatchObject({ count: 1 });
  await time.run(3 * MINUTE);
  expect([gateway.stats.running, gateway.stats.waiting]).toEqual([
    { count: 0, p50: 0, p99: 0 },
    { count: 0, p50: 0, p99: 0 },
  ]);
});

it('where one asks once in ten minutes, they tell of that one', async () => {
  const { time, gateway } = await poolOf();
  gateway.at(1, () => gateway.ask({ ms: 5_000 }));
  for (let nth = 1; nth <= 6; nth++) gateway.at(10 * nth * MINUTE, () => gateway.ask({ ms: 10 }));
  await time.run(60 * MINUTE + 1_000);
  expect(gateway.stats.waiting).toMatchObject({ count: 1 });
  const { count, p99 } = gateway.stats.running;
  expect(count).toBe(1);
  expect(p99).toBeLessThan(15);
});

it('one that takes nearly a minute is told of when it has ended', async () => {
  const { time, gateway } = await poolOf();
  gateway.at(1, () => gateway.ask({ ms: 59_000 }));
  gateway.at(2, () => gateway.ask({ ms: 59_000 }));
  await time.run(61_000);
  expect(gateway.stats.running).toMatchObject({ count: 2 });
});

it('a period is 30 s: what is told is as old as two of them at the most', () => {
  const durations = new Durations();
  durations.forget(0);
  durations.running.add(5);
  const countAt = (now: number): number => durations.summaries(now).running.count;
  expect([countAt(29_999), countAt(30_000), countAt(59_999), countAt(60_000)]).toEqual([1, 1, 1, 0]);
  durations.running.add(5);
  expect([countAt(119_999), countAt(179_999)]).toEqual([1, 0]);
});
