/** One Node process in virtual time: the pool's own code, and the requests that are asked of it. */

import type { Runtime } from '../../src/connection/runtime.ts';
import { ReadBuffer } from '../../src/connection/socket/read-buffer.ts';
import { ConnectError } from '../../src/errors.ts';
import { type PoolOptions, resolveOptions } from '../../src/pool/options.ts';
import { schedulerOf } from '../../src/pool/pool.ts';
import type { Scheduler } from '../../src/pool/scheduler.ts';
import { type Ask, type Asked, type Asker, askOf } from './asked.ts';
import type { SimFpm } from './fpm.ts';
import { SimSocket } from './socket.ts';
import { Loop, type VirtualTime } from './time.ts';

/** ms that a connect takes beside the network. */
const CONNECT = 0.05;

export class SimGateway implements Asker {
  readonly asked: Asked[] = [];
  readonly #loop: Loop = new Loop();
  readonly #name: string;
  readonly #time: VirtualTime;
  readonly #scheduler: Scheduler;

  /** `latency`: ms one way; 0: a unix socket. */
  constructor(
    name: string,
    time: VirtualTime,
    fpm: SimFpm,
    latency: number,
    random: () => number,
    options: PoolOptions,
  ) {
    this.#name = name;
    this.#time = time;
    const loop = this.#loop;
    const runtime: Runtime = {
      timers: time.timersOf(loop),
      random,
      notASocket: async () => '',
      connect: (target, { signal }) =>
        new Promise((resolve, reject) => {
          const socket = new SimSocket(time, loop, latency);
          const input = new ReadBuffer().open();
          socket.receive = (bytes, length) => input.receive(bytes, length);
          signal.addEventListener('abort', () => {
            socket.destroy();
            reject(signal.reason);
          });
          time.at(time.now + latency, () => {
            if (fpm.connect(socket)) return;
            const cause = Object.assign(new Error('connect EAGAIN'), { code: 'EAGAIN' });
            const error = new ConnectError('FCGI_ERR_CONNECT', `cannot connect to ${target.name}`, { cause });
            time.arrive(time.now, () => reject(error), loop);
          });
          const roundTrip = 2 * latency + CONNECT;
          const acknowledged = async (): Promise<'all' | 'gone'> => (socket.dropped ? 'gone' : 'all');
          const connected = { socket, incoming: input, roundTrip, acknowledged };
          time.arrive(time.now + roundTrip, () => resolve(connected), loop);
        }),
    };
    const address = latency === 0 ? 'unix:/sim' : 'sim:9000';
    this.#scheduler = schedulerOf(address, resolveOptions(options), runtime);
  }

  get stats(): Scheduler['stats'] {
    return this.#scheduler.stats;
  }

  now(): number {
    return this.#time.now;
  }

  at(time: number, run: () => void): void {
    this.#time.at(time, run, this.#loop);
  }

  /** The event loop stands still from now on for so many ms. */
  stall(ms: number): void {
    this.#loop.stalledUntil = this.#time.now + ms;
  }

  ask(ask: Ask, done: () => void = () => {}): Asked {
    const id = `${this.#name}${this.asked.length}`;
    const script = { SCRIPT_FILENAME: `/sim/${ask.ms < 10 ? 'quick' : 'slow'}.php` };
    const asked = askOf(this.#scheduler, this, id, ask, script, done);
    this.asked.push(asked);
    return asked;
  }
}
