/** What befalls three hosts under load, the same for whoever stands in front of them. Each ends with all three well. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FpmOptions, gone, isAlive } from '../../fpm/support/index.ts';
import type { Lag } from '../../fpm/support/lag.ts';
import type { Farm } from './farm.ts';

export interface Event {
  readonly name: string;
  /** What the hosts are; tcp with four workers without it. */
  readonly options?: FpmOptions;
  /** What is special about the first. */
  readonly first?: FpmOptions;
  /** A network lies between us and the first. */
  readonly isThroughNetwork?: boolean;
  /** Whoever knows all three loses nothing by it. */
  readonly isHarmless?: boolean;
  readonly happen: (farm: Farm, lag: Lag | null) => Promise<void>;
}

/** ms */
const DOWN = 300;
const UP = 700;
const TROUBLE = 4_000;

export const events: readonly Event[] = [
  {
    name: 'rolling restart, twice',
    isHarmless: true,
    async happen(farm) {
      for (let round = 0; round < 2; round++) await rollingRestart(farm);
    },
  },
  {
    name: 'one frozen (SIGSTOP)',
    async happen({ fpms }) {
      const workers = (await fpms[0]?.workers()) ?? [];
      for (const pid of workers) process.kill(pid, 'SIGSTOP');
      await delay(TROUBLE);
      for (const pid of workers) process.kill(pid, 'SIGCONT');
    },
  },
  {
    name: 'one slow (400 ms more)',
    isHarmless: true,
    async happen(farm) {
      farm.slow(true);
      await delay(TROUBLE);
      farm.slow(false);
    },
  },
  {
    name: 'one with a full backlog',
    options: { transport: 'unix' },
    first: { maxChildren: 1, listenBacklog: 1 },
    async happen({ fpms }) {
      // Others who connect and say nothing have its worker, and all places in front of it.
      const endpoint = fpms[0]?.endpoint;
      if (endpoint === undefined) throw new Error('there is no host');
      const until = performance.now() + TROUBLE;
      while (performance.now() < until) {
        const socket = connect(endpoint);
        socket.on('error', () => {});
        setTimeout(() => socket.destroy(), until - performance.now());
        await delay(20);
      }
    },
  },
  {
    name: 'one killed (SIGKILL), back after 4 s',
    async happen({ fpms }) {
      const [fpm] = fpms;
      const pids = [fpm?.pid ?? 0, ...((await fpm?.workers()) ?? [])].filter(isAlive);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await gone(pids);
      await delay(TROUBLE);
      await fpm?.restart();
    },
  },
  {
    name: 'the network cut to one for 4 s',
    isThroughNetwork: true,
    async happen({ fpms }, lag) {
      const endpoint = fpms[0]?.endpoint;
      if (lag === null || endpoint === undefined || !('port' in endpoint)) return;
      lag.lostTo = endpoint.port;
      await delay(TROUBLE);
      lag.lostTo = 0;
    },
  },
];

export async function rollingRestart({ fpms }: Farm): Promise<void> {
  for (const fpm of fpms) {
    const { pid } = fpm;
    fpm.kill('SIGQUIT');
    await gone([pid], 15_000);
    await delay(DOWN);
    await fpm.restart();
    await delay(UP);
  }
}
