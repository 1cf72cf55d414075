import { expect, it } from 'vitest';
import { TICK_INTERVAL } from '../../../src/connection/clock.ts';
import { KeepaliveTimes } from '../../../src/pool/learned/keepalive-times.ts';

const AUTO = { keepaliveTime: 'auto', keepaliveTimeout: 'auto' } as const;

/** ms from its opening at which a connection goes that has carried so many requests, and had waited so long for its worker. */
function leaseOf(times: KeepaliveTimes, requests: number, waited = 0): number {
  for (let age = waited; age < 10_000; age++)
    if (times.isLeaseOver({ openedAt: 0, heldSince: waited, requests }, age)) return age;
  return Number.POSITIVE_INFINITY;
}

/** ms of idleness at which a connection goes that was opened so much earlier, and has carried so many requests. */
function idleTimeOf(times: KeepaliveTimes, before = 0, requests = 1): number {
  for (let idle = 0; idle < 10_000; idle++)
    if (times.isIdleTimeOver(idle, before + idle, requests)) return idle;
  return Number.POSITIVE_INFINITY;
}

it.each([
  ['a unix socket, which never tells what connecting took', [], 50, 35],
  ['the same host over tcp', [0.1], 50, 35],
  ['a host that takes 1 ms', [1], 50, 35],
  ['a host that takes 5 ms', [5], 150, 100],
  ['a far host', [20], 600, 400],
  ['a host at the other end of the world', [200], 2_000, 1_000],
  ['a host of which one connect was slow', [3, 30], 90, 60],
])('%s: idle for so long at the most, in use for so long', (_, connects, idle, lease) => {
  const times = new KeepaliveTimes(AUTO);
  for (const took of connects) times.connected(took);
  expect(idleTimeOf(times) + TICK_INTERVAL).toBe(idle);
  expect(leaseOf(times, 1_000)).toBe(lease);
});

it('a host that is farther away from now on is known to be so in the second period from there', () => {
  const times = new KeepaliveTimes(AUTO);
  const connects = [];
  for (const took of [0.1, 20, 21, null, null, 20]) {
    if (took !== null) times.connected(took);
    connects.push(times.connect);
    times.rotate();
  }
  expect(connects).toEqual([0.1, 0.1, 20, 21, 21, 20]);
});

it('connections are given back one by one, whatever the reason for the one before', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(20);
  expect([leaseOf(times, 3), leaseOf(times, 1_000)]).toEqual([50, 50]);
  times.givenBack(50);
  expect(leaseOf(times, 4)).toBe(80);
  times.givenBack(80);
  expect(leaseOf(times, 5)).toBe(110);
});

it('a lease begins as its connection is opened, where that has not waited for its worker', () => {
  const times = new KeepaliveTimes(AUTO);
  const held = { openedAt: 1_000, heldSince: 1_000, requests: 1_000 };
  expect([1_034, 1_035].map((now) => times.isLeaseOver(held, now))).toEqual([false, true]);
});

it('a worker that was given back long ago is no reason to keep a connection for less than its lease', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(-10);
  expect(leaseOf(times, 1_000)).toBe(35);
});

it.each([
  [10, 30],
  [30, 20],
  [50, 10],
  [70, 0],
  [100, 0],
])(
  'what a connection has waited for its worker counts half: %i ms, and it has that for %i',
  (waited, held) => {
    const times = new KeepaliveTimes(AUTO);
    expect(leaseOf(times, 1_000, waited)).toBe(waited + held);
  },
);

it('one that has waited for half a lease is given back in its time: others wait as well', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(40);
  expect([leaseOf(times, 1_000, 17), leaseOf(times, 1_000, 17.5)]).toEqual([70, 44.5]);
});

it('where a page takes as long as that each connection is given back in its time: such pages may end all together', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(55);
  const [age, requests] = [60, 2];
  const held = { openedAt: 0, heldSince: 0, requests };
  expect(times.isLeaseOver(held, age)).toBe(true);
  expect(times.isLeaseOver({ ...held, requests: requests + 1 }, age)).toBe(false);
  expect(times.isLeaseOver({ ...held, openedAt: 20, heldSince: 20 }, 20 + age)).toBe(true);
});

it('what it has waited for its worker is no part of a page', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(55);
  expect(times.isLeaseOver({ openedAt: 0, heldSince: 10, requests: 2 }, 69)).toBe(false);
});

it('a fifth of a page before its time rather than a page later', () => {
  const times = new KeepaliveTimes(AUTO);
  times.givenBack(-10);
  expect([leaseOf(times, 1), leaseOf(times, 2), leaseOf(times, 3)]).toEqual([30, 32, 33]);
});

it('to a far host only where its connects cost a fortieth of the time', () => {
  const times = new KeepaliveTimes(AUTO);
  times.connected(20);
  times.givenBack(780);
  expect([leaseOf(times, 1), leaseOf(times, 4), leaseOf(times, 5)]).toEqual([800, 800, 980]);
});

it('to a far host they are given back in proportion to the longer lease', () => {
  const times = new KeepaliveTimes(AUTO);
  times.connected(20);
  times.givenBack(300);
  expect(leaseOf(times, 4)).toBe(500);
});

it('what the options say holds as it is, 0 too', () => {
  const times = new KeepaliveTimes({ keepaliveTime: 7, keepaliveTimeout: 0 });
  times.connected(100);
  times.givenBack(6);
  expect([leaseOf(times, 1), leaseOf(times, 2), idleTimeOf(times)]).toEqual([7, 7, Number.POSITIVE_INFINITY]);
  expect(idleTimeOf(new KeepaliveTimes({ ...AUTO, keepaliveTimeout: 80 }), 1_000)).toBe(80);
  expect(leaseOf(new KeepaliveTimes({ ...AUTO, keepaliveTime: 0 }), 4)).toBe(Number.POSITIVE_INFINITY);
  expect([times.isIdlenessAuto, new KeepaliveTimes(AUTO).isIdlenessAuto]).toEqual([false, true]);
});

it('an idle connection goes as well once it is as old as it may be idle: used now and then, it would hold a worker for longer', () => {
  const times = new KeepaliveTimes(AUTO);
  expect([0, 10, 24, 25, 40].map((before) => idleTimeOf(times, before))).toEqual([25, 15, 1, 0, 0]);
  times.connected(20);
  expect([0, 400, 580].map((before) => idleTimeOf(times, before))).toEqual([575, 175, 0]);
});

it('one in constant use does not go because it is just between two requests, and goes as soon as any other once it is idle', () => {
  const times = new KeepaliveTimes(AUTO);
  expect([19, 20, 21, 500].map((requests) => idleTimeOf(times, 40, requests))).toEqual([0, 0, 2, 25]);
  times.connected(20);
  expect([30, 31].map((requests) => idleTimeOf(times, 600, requests))).toEqual([0, 20]);
});

it('not where somebody has said how long a connection may be in use', () => {
  const times = new KeepaliveTimes({ ...AUTO, keepaliveTime: 500 });
  expect(idleTimeOf(times, 400)).toBe(25);
});

it.each([
  ['a unix socket', [], 2],
  ['the same host over tcp', [0.1], 2],
  ['a host that takes 2 ms', [2], 2],
  ['a far host', [20], 20],
])('%s: idle for so long where others need the worker', (_, connects, idle) => {
  const times = new KeepaliveTimes(AUTO);
  for (const took of connects) times.connected(took);
  expect(times.shortIdleTime).toBe(idle);
});

/** Two responses on new connections that came at once, and then such on kept ones that stood still for 44 ms. */
function slowWhereKept(times: KeepaliveTimes): boolean {
  for (const mayWaitForAck of [false, false, true, true, true, true])
    times.answered({ mayWaitForAck, isLong: true, stillFor: mayWaitForAck ? 44 : 0 }, 0);
  return times.isCostly;
}

it('nothing is kept over tcp while responses stand still there, by options that leave it to the pool', () => {
  const times = new KeepaliveTimes(AUTO);
  times.connected(0.1);
  expect(slowWhereKept(times)).toBe(true);
  times.onTick(10_000);
  expect(times.isCostly).toBe(false);
  const told = new KeepaliveTimes({ ...AUTO, keepaliveTime: 0 });
  told.connected(0.1);
  expect(slowWhereKept(told)).toBe(false);
  expect(slowWhereKept(new KeepaliveTimes(AUTO))).toBe(false);
});
