import { expect, it } from 'vitest';
import { Keeping } from '../../../src/pool/learned/keepalive-times.ts';

const AUTO = { keepaliveTime: 'auto', keepaliveTimeout: 'auto' } as const;

it.each([
  ['a unix socket, which never tells what connecting took', [], 50, 60],
  ['the same host over tcp', [0.1], 50, 60],
  ['a host that takes 1 ms', [1], 300, 60],
  ['a host that takes 5 ms', [5], 1_500, 100],
  ['a far host', [20], 2_000, 400],
  ['a host at the other end of the world', [200], 2_000, 1_000],
  ['a host of which one connect was slow', [1, 30], 300, 60],
])('%s: idle for so long, in use for so long', (_, connects, idle, lease) => {
  const keeping = new Keeping(AUTO);
  for (const took of connects) keeping.connected(took);
  expect(keeping.idleTime).toBeCloseTo(idle);
  expect(keeping.lease(0.5)).toBeCloseTo(lease);
});

it('leases differ by a quarter to both sides, so that not all connections are renewed at once', () => {
  const keeping = new Keeping(AUTO);
  expect([keeping.lease(0), keeping.lease(1)]).toEqual([45, 75]);
});

it('what the options say holds as it is, 0 too', () => {
  const keeping = new Keeping({ keepaliveTime: 7, keepaliveTimeout: 0 });
  keeping.connected(100);
  expect([keeping.lease(0), keeping.lease(0.9), keeping.idleTime]).toEqual([7, 7, 0]);
});
