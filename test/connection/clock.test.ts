import { expect, it } from 'vitest';
import { Clock } from '../../src/connection/clock.ts';
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
