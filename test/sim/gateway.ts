/** One Node process in virtual time: the pool's own code, and the requests that are asked of it. */

import type { Runtime } from '../../src/connection/runtime.ts';
import { ReadBuffer } from '../../src/connection/socket/read-buffer.ts';
import { ConnectError, FcgiError } from '../../src/errors.ts';
import type { DispatchController } from '../../src/pool/dispatcher.ts';
import { type PoolOptions, resolveOptions } from '../../src/pool/options.ts';
import { schedulerOf } from '../../src/pool/pool.ts';
import type { Scheduler } from '../../src/pool/scheduler.ts';
import type { SimFpm } from './fpm.ts';
import { SimSocket } from './socket.ts';
import { Loop, type VirtualTime } from './time.ts';

export interface Asked {
  readonly id: string;
  readonly at: number;
  /** ms of script. */
  readonly ms: number;
  /** ms from asking to the end; -1: not settled yet. */
  took: number;
  /** '' where it was answered, else the code of its error, or 'gave up'. */
  error: string;
  executed: string;
  attempts: number;
}

export interface Ask {
  readonly ms: number;
  readonly tail?: number;
  /** ms after which its client leaves. */
  readonly giveUp?: number;
}

/** ms that a connect takes beside the network. */
const CONNECT = 0.05;

export class SimGateway {
  readonly asked: Asked[] = [];
  readonly loop: Loop = new Loop();
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
    const runtime: Runtime = {
      timers: time.timersOf(this.loop),
      random,
      misplaced: async () => '',
      connect: (target, { signal }) =>
        new Promise((resolve, reject) => {
          const socket = new SimSocket(time, this.loop, latency);
          const input = new ReadBuffer().open();
          socket.receive = (bytes, length) => input.receive(bytes, length);
          signal.addEventListener('abort', () => {
            socket.destroy();
            reject(signal.reason);
          });
          time.at(time.now + latency, () => {
            if (fpm.connect(socket)) return;
            const cause = Object.assign(new Error('connect EAGAIN'), { code: 'EAGAIN' });
            time.arrive(
              time.now,
              () =>
                reject(new ConnectError('FCGI_ERR_CONNECT', `cannot connect to ${target.name}`, { cause })),
              this.loop,
            );
          });
          const roundTrip = 2 * latency + CONNECT;
          const acknowledged = async (): Promise<'all' | 'gone'> => (socket.dropped ? 'gone' : 'all');
          const connected = { socket, incoming: input, roundTrip, acknowledged };
          time.arrive(time.now + roundTrip, () => resolve(connected), this.loop);
        }),
    };
    const address = latency === 0 ? 'unix:/sim' : 'sim:9000';
    this.#scheduler = schedulerOf(address, resolveOptions(options), runtime);
  }

  get stats(): Scheduler['stats'] {
    return this.#scheduler.stats;
  }

  /** The event loop stands still from now on for so many ms. */
  stall(ms: number): void {
    this.loop.stalledUntil = this.#time.now + ms;
  }

  ask({ ms, tail = 0, giveUp }: Ask, done: () => void = () => {}): Asked {
    const id = `${this.#name}${this.asked.length}`;
    const asked: Asked = { id, at: this.#time.now, ms, took: -1, error: '', executed: '', attempts: 0 };
    this.asked.push(asked);
    const settle = (error: string): void => {
      if (asked.took >= 0) return;
      asked.took = this.#time.now - asked.at;
      asked.error = error;
      done();
    };
    const params = {
      SCRIPT_FILENAME: `/sim/${ms < 10 ? 'quick' : 'slow'}.php`,
      REQUEST_METHOD: 'POST',
      ID: id,
      MS: String(ms),
      TAIL: String(tail),
    };
    let control: DispatchController | null = null;
    this.#scheduler.dispatch(
      { params },
      {
        onRequestStart: (controller) => {
          control = controller;
        },
        onResponseStart: () => {},
        onResponseData: () => {},
        onResponseEnd: (_, { attempts }) => {
          asked.executed = 'yes';
          asked.attempts = attempts;
          settle('');
        },
        onResponseError: (_, error) => {
          if (error instanceof FcgiError) asked.executed = error.executed;
          settle(error instanceof FcgiError ? error.code : 'gave up');
        },
      },
    );
    if (giveUp !== undefined)
      this.#time.at(this.#time.now + giveUp, () => control?.abort('gave up'), this.loop);
    return asked;
  }
}
