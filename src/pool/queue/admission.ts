/** Is a new request let in? Keeps what the rule of overload.ts needs to know. */
import type { ConnectError, PoolError } from '../../errors.ts';
import { type Arrival, Overload } from './overload.ts';
import { refusal, tooLate } from './refusal.ts';

/** What a server has in hand, and what it can do. */
interface Load {
  readonly name: string;
  readonly busy: number;
  /** So many have been seen to run at once: there may be more. */
  readonly workers: number;
}

/** A request that was let in, at `queuedAt`. */
interface Waiting {
  readonly queuedAt: number;
  /** null: it has not been sent. */
  readonly connection: unknown;
  readonly exchange: { readonly bytesReceived: number } | null;
}

/** How many wait already. */
interface Queued {
  /** In all. */
  readonly all: number;
  /** In front of this one. */
  readonly before: number;
}

export class Admission {
  /** What the usual request takes from sending to the end, ms: two of five took no longer. 0: not known. */
  usual = 0;
  /** How many were not let in. */
  refused = 0;
  /** Of the requests that any server may have. */
  readonly #overload: Overload = new Overload();
  /** Of those that have asked for a certain server. */
  readonly #byServer: Map<string, Overload> = new Map();
  readonly #queueSize: number;

  constructor(queueSize: number) {
    this.#queueSize = queueSize;
  }

  /** `wanted`, here and below: the server that was asked for; '' for any. */
  arrived(wanted: string, now: number): void {
    if (wanted !== '' && !this.#byServer.has(wanted)) {
      const overload = new Overload();
      overload.idle(now);
      this.#byServer.set(wanted, overload);
    }
    this.#overloadOf(wanted).arrived(now);
  }

  /** `took`, `age`: ms from sending, and from letting it in, to the end. `age` -1: its client had left. */
  served(wanted: string, now: number, took: number, age: number = took): void {
    this.#overloadOf(wanted).served(now, took, age);
  }

  /** Its client has left. Who does so in the middle of an answer was not tired of waiting for one. */
  left(wanted: string, { queuedAt, connection, exchange }: Waiting, now: number): void {
    if (exchange !== null && exchange.bytesReceived > 0) return;
    this.#overloadOf(wanted).left(now, now - queuedAt, connection !== null);
  }

  /** Nobody waits in the queue; connections to more than the workers that are known wait in the backlog of a server. */
  emptied(wanted: string, servers: readonly Load[], now: number): void {
    for (const { name, busy, workers } of servers) {
      if ((wanted !== '' && name !== wanted) || busy >= Math.max(1, workers)) continue;
      this.#overloadOf(wanted).idle(now);
      if (this.#byServer.size === 0) return;
      this.#byServer.get(name)?.idle(now);
    }
  }

  /** Those in the queue could run: they wait for the first answer of a server, and no longer than that. */
  heldBack(now: number): void {
    this.#overload.idle(now);
  }

  /** Forgets the servers that there are no more. */
  keep(servers: readonly { readonly name: string }[]): void {
    for (const wanted of this.#byServer.keys())
      if (!servers.some(({ name }) => name === wanted)) this.#byServer.delete(wanted);
  }

  /** null: it may be sent at once. `name`: of the servers, for the message. */
  tooLate(wanted: string, servers: readonly Load[], name: string, now: number): PoolError | null {
    const overload = this.#overloadOf(wanted);
    if (overload.longestStay(now) === Number.POSITIVE_INFINITY) return null;
    const refused = tooLate(overload, this.#arrival(wanted, servers, 0, now), wanted || name);
    if (refused !== null) this.refused++;
    return refused;
  }

  /** null: it may wait. `name`: of the servers, for the message; `why`: nobody can connect. */
  refusal(
    wanted: string,
    servers: readonly Load[],
    queued: Queued,
    name: string,
    now: number,
    why: ConnectError | null = null,
  ): PoolError | null {
    const arrival = this.#arrival(wanted, servers, queued.before, now);
    const full = queued.all >= this.#queueSize ? this.#queueSize : null;
    const refused = refusal(this.#overloadOf(wanted), arrival, full, wanted || name, why);
    if (refused !== null) this.refused++;
    return refused;
  }

  #arrival(wanted: string, servers: readonly Load[], queued: number, now: number): Arrival {
    let sent = 0;
    let known = 0;
    for (const { name, busy, workers } of servers) {
      if (wanted !== '' && name !== wanted) continue;
      sent += busy;
      known += Math.max(1, workers);
    }
    return { now, queued, sent, workers: known, usual: this.usual };
  }

  #overloadOf(wanted: string): Overload {
    return (wanted === '' ? undefined : this.#byServer.get(wanted)) ?? this.#overload;
  }
}
