import { expect, it } from 'vitest';
import { TICK_INTERVAL } from '../../../src/connection/clock.ts';
import { KeepaliveTimes } from '../../../src/pool/learned/keepalive-times.ts';

const AUTO = { keepaliveTime: 'auto', keepaliveTimeout: 'auto' } as const;

it.each([
  ['a unix socket, which never tells what connecting took', [], 50, 60],
  ['the same host over tcp', [0.1], 50, 60],
  ['a host that takes 1 ms', [1], 300, 60],
  ['a host that takes 5 ms', [5], 1_500, 100],
  ['a far host', [20], 2_000, 400],
  ['a host at the other end of the world', [200], 2_000, 1_000],
  ['a host of which one connect was slow', [1, 30], 300, 60],
])('%s: idle for so long at the most, in use for so long', (_, connects, idle, lease) => {
  const times = new KeepaliveTimes(AUTO);
  for (const took of connects) times.connected(took);
  expect(times.idleTime + TICK_INTERVAL).toBeCloseTo(idle);
  expect(times.lease(0.5)).toBeCloseTo(lease);
});

it('leases differ by a quarter to both sides, so that not all connections are renewed at once', () => {
  const times = new KeepaliveTimes(AUTO);
  expect([times.lease(0), times.lease(1)]).toEqual([45, 75]);
});

it('what the options say holds as it is, 0 too', () => {
  const times = new KeepaliveTimes({ keepaliveTime: 7, keepaliveTimeout: 0 });
  times.connected(100);
  expect([times.lease(0), times.lease(0.9), times.idleTime]).toEqual([7, 7, 0]);
});
