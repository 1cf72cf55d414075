/** What a pool takes from outside: time, sockets, chance. The simulator gives it others than the machine's. */
import { systemTimers, type Timers } from './clock.ts';
import { type ReadCounter, readOrphanResets, readRetransmissions } from './evidence/kernel-counter.ts';
import type { Target } from './socket/address.ts';
import { type Connect, connect, notASocket } from './socket/connect.ts';

export interface Runtime {
  readonly timers: Timers;
  readonly connect: Connect;
  /** What stands at the address where it cannot be a listening socket, in words; '' where it can. */
  readonly notASocket: (target: Target) => Promise<string>;
  /** See kernel-counter.ts. */
  readonly readOrphanResets: ReadCounter;
  readonly readRetransmissions: ReadCounter;
  /** From 0 up to 1, as Math.random(). */
  readonly random: () => number;
}

export const systemRuntime: Runtime = {
  timers: systemTimers,
  connect,
  notASocket,
  readOrphanResets,
  readRetransmissions,
  random: Math.random,
};
