/** What befalls php-fpm meanwhile. Each goes on until it is told to stop, leaves php-fpm running, and counts its blows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fpm, gone, type Lag } from '../../fpm/support/index.ts';

/** Resolves with how often it struck. */
export type Weather = (fpm: Fpm, stop: AbortSignal) => Promise<number>;

/** ms */
const RELOAD_EVERY = 700;
const RESTART_EVERY = 2000;
const DOWN_FOR = 300;
const KILL_EVERY = 70;
const SLOW_EVERY = 150;
const FIRST_AFTER = 300;

/** SIGUSR2: workers finish what they do, new ones take over. */
export const reloads: Weather = (fpm, stop) => every(RELOAD_EVERY, stop, () => fpm.reload());

/** Stopped by the signal, gone for a while, started again. */
export function restarts(signal: 'SIGQUIT' | 'SIGTERM'): Weather {
  return (fpm, stop) =>
    every(RESTART_EVERY, stop, async () => {
      const { pid } = fpm;
      fpm.kill(signal);
      await gone([pid]);
      await sleep(DOWN_FOR);
      await fpm.restart();
    });
}

/** One worker after the other dies, by SIGKILL and SIGTERM in turn. */
export const kills: Weather = (fpm, stop) => {
  let turn = 0;
  return every(KILL_EVERY, stop, async () => {
    const workers = await fpm.workers();
    const victim = workers[Math.floor(Math.random() * workers.length)];
    // To look for workers holds this process up, and each of them has finished by then: strike when they run again.
    await sleep(5 + 5 * Math.random());
    turn++;
    if (victim !== undefined) strike(victim, turn % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
  });
};

/** ms on the way, one after the other. */
const DELAYS = [15, 0, 50, 0, 30];

/** The network becomes slow, and quick again. */
export async function slowdowns(lag: Lag | null, stop: AbortSignal): Promise<void> {
  if (lag === null) return;
  let turn = 0;
  await every(SLOW_EVERY, stop, () => {
    lag.delay = DELAYS[turn++ % DELAYS.length] ?? 0;
    return Promise.resolve();
  });
  lag.delay = 0;
}

async function every(millis: number, stop: AbortSignal, blow: () => Promise<void>): Promise<number> {
  let blows = 0;
  for (;;) {
    // The first comes soon: a short storm needs one, too.
    const pause = blows === 0 ? Math.min(millis, FIRST_AFTER) : millis;
    await sleep(pause, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return blows;
    blows++;
    await blow();
  }
}

function strike(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just gone by itself.
  }
}
