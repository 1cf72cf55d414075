import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Clock, systemTimers } from '../../src/connection/clock.ts';
import { Loop, VirtualTime } from '../sim/time.ts';

/** A clock, and how to let time go by, or stand our event loop still. */
function setUp(): { clock: Clock; time: VirtualTime; loop: Loop } {
  const time = new VirtualTime();
  const loop = new Loop();
  return { clock: new Clock(time.timersOf(loop)), time, loop };
}

it('counts the time in which there is something to do', async () => {
  const { clock, time } = setUp();
  clock.start(() => {});
  await time.run(1_000);
  expect(clock.now()).toBe(1_000);
});

it('and that in which there is nothing: what was learned in the evening is old in the morning', async () => {
  const { clock, time } = setUp();
  await time.run(100);
  clock.start(() => {});
  await time.run(1_000);
  clock.stop();
  await time.run(3_600_000);
  expect(clock.now()).toBe(3_600_000);
  clock.start(() => {});
  await time.run(3_600_500);
  expect(clock.now()).toBe(3_600_500);
});

it('but not that in which our event loop stands still while requests wait: 50 ms of it count', async () => {
  const { clock, time, loop } = setUp();
  clock.start(() => {});
  await time.run(1_000);
  loop.stalledUntil = 4_000;
  await time.run(5_000);
  expect(clock.now()).toBe(2_050);
});

it('what is to be done first behind a turn of I/O is, whoever has asked sooner, and each once', async () => {
  const clock = new Clock(systemTimers);
  const done: string[] = [];
  const told = (name: string) => (): void => void done.push(name);
  clock.afterReads(told('users a'));
  clock.firstAfterReads(told('close a'));
  clock.firstAfterReads(told('close b'));
  clock.afterReads(told('users b'));
  await turn();
  expect(done).toEqual(['close a', 'close b', 'users a', 'users b']);
  clock.firstAfterReads(told('close c'));
  await turn();
  expect(done.slice(4)).toEqual(['close c']);
});
