/** One Node process in virtual time: the pool's own code, and the requests that are asked of it. */

import type { Runtime } from '../../src/connection/runtime.ts';
import { ReadBuffer } from '../../src/connection/socket/read-buffer.ts';
import { ConnectError } from '../../src/errors.ts';
import { resolveOptions } from '../../src/pool/options.ts';
import { schedulerOf } from '../../src/pool/pool.ts';
import type { Scheduler } from '../../src/pool/scheduler.ts';
import type { UpstreamOptions } from '../../src/upstream/options.ts';
import { upstreamParts } from '../../src/upstream/upstream.ts';
import { type Ask, type Asked, type Asker, askOf } from './asked.ts';
import { SimFpm } from './fpm.ts';
import { SimSocket } from './socket.ts';
import { Loop, type VirtualTime } from './time.ts';

/** ms that a connect takes beside the network, on a machine with nothing else to do. */
const CONNECT = 0.05;

/** ms that Linux puts an acknowledgement off. */
const ACK_DELAY = 40;

export class SimGateway implements Asker {
  readonly asked: Asked[] = [];
  readonly loop: Loop;
  readonly #name: string;
  readonly #time: VirtualTime;
  readonly #scheduler: Scheduler;

  /**
   * `latency`: ms one way; 0: a unix socket. Several servers: an Upstream over them. `cost`: ms that each callback takes. `connecting`: ms that a connect takes beside the network. `lateAcks`: the
   * share of what comes on connections that go back and forth that our kernel acknowledges late.
   */
  constructor(
    name: string,
    time: VirtualTime,
    fpm: SimFpm | readonly SimFpm[],
    latency: number,
    random: () => number,
    options: UpstreamOptions,
    cost = 0,
    lateAcks = 0,
    connecting: number = CONNECT,
  ) {
    const ackDelay = (): number => (lateAcks > 0 && random() < lateAcks ? ACK_DELAY : 0);
    this.loop = new Loop(cost);
    this.#name = name;
    this.#time = time;
    if (fpm instanceof SimFpm) {
      const address = latency === 0 ? 'unix:/sim' : 'sim:9000';
      const runtime = runtimeOf(time, this.loop, latency, connecting, random, ackDelay, () => fpm);
      this.#scheduler = schedulerOf(address, resolveOptions(options), runtime);
    } else {
      const byName = new Map(fpm.map((one, nth) => [`sim${nth}:9000`, one]));
      const runtime = runtimeOf(time, this.loop, latency, connecting, random, ackDelay, (address) =>
        byName.get(address),
      );
      this.#scheduler = upstreamParts([...byName.keys()], options, runtime).scheduler;
    }
  }

  get stats(): Scheduler['stats'] {
    return this.#scheduler.stats;
  }

  now(): number {
    return this.#time.now;
  }

  at(time: number, run: () => void): void {
    this.#time.at(time, run, this.loop);
  }

  /** The event loop stands still from now on for so many ms. One that does cannot begin to. */
  stall(ms: number): void {
    if (this.#time.now < this.loop.stalledUntil) return;
    this.loop.stalledUntil = this.#time.now + ms;
  }

  ask(ask: Ask, done: () => void = () => {}): Asked {
    const id = `${this.#name}${this.asked.length}`;
    const script = { SCRIPT_FILENAME: `/sim/${ask.ms < 10 ? 'quick' : 'slow'}.php` };
    const asked = askOf(this.#scheduler, this, id, ask, script, done);
    this.asked.push(asked);
    return asked;
  }
}

function runtimeOf(
  time: VirtualTime,
  loop: Loop,
  latency: number,
  connecting: number,
  random: () => number,
  ackDelay: () => number,
  fpmAt: (address: string) => SimFpm | undefined,
): Runtime {
  // One for all, as where it is real: bytes are read where they lie before the next ones come.
  const readBuffer = new ReadBuffer();
  return {
    timers: time.timersOf(loop),
    random,
    notASocket: async () => '',
    readOrphanResets: async () => 0,
    readRetransmissions: async () => 0,
    connect: (target, { signal }) =>
      new Promise((resolve, reject) => {
        const socket = new SimSocket(time, loop, latency, ackDelay);
        const input = readBuffer.open();
        socket.receive = (bytes, length) => input.receive(bytes, length);
        const aborted = (): void => {
          socket.destroy();
          reject(signal.reason);
        };
        // Once it is connected, or has failed, the signal is somebody else's, as with the real one.
        const settled = (then: () => void): void => {
          signal.removeEventListener('abort', aborted);
          then();
        };
        signal.addEventListener('abort', aborted);
        time.at(time.now + latency, () => {
          const refused = fpmAt(target.name)?.connect(socket) ?? 'ENOTFOUND';
          if (refused === '') return;
          const cause = Object.assign(new Error(`connect ${refused}`), { code: refused });
          const error = new ConnectError('FCGI_ERR_CONNECT', `cannot connect to ${target.name}`, { cause });
          time.arrive(time.now, () => settled(() => reject(error)), loop);
        });
        const roundTrip = 2 * latency + connecting;
        const unacknowledged = async (): Promise<0 | 'gone'> => (socket.dropped ? 'gone' : 0);
        const connected = { socket, incoming: input, roundTrip, unacknowledged, isLocal: latency === 0 };
        time.arrive(time.now + roundTrip, () => settled(() => resolve(connected)), loop);
      }),
  };
}
