/** Is a new request let in? Keeps what the rule of overload.ts needs to know. */
import type { ConnectError, PoolError } from '../../errors.ts';
import { Overload } from './overload.ts';
import { refusal } from './refusal.ts';

/** What a server has in hand, and what it can do. */
interface Load {
  readonly name: string;
  readonly busy: number;
  /** So many have been seen to run at once: there may be more. */
  readonly workers: number;
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

  /** `took`: ms from sending to the end. */
  served(wanted: string, now: number, took: number): void {
    this.#overloadOf(wanted).served(now, took);
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

  /** null: it may wait. `name`: of the servers, for the message; `why`: nobody can connect. */
  refusal(
    wanted: string,
    servers: readonly Load[],
    queued: Queued,
    name: string,
    now: number,
    why: ConnectError | null = null,
  ): PoolError | null {
    let sent = 0;
    let known = 0;
    for (const { name: server, busy, workers } of servers) {
      if (wanted !== '' && server !== wanted) continue;
      sent += busy;
      known += Math.max(1, workers);
    }
    const arrival = { now, queued: queued.before, sent, workers: known, usual: this.usual };
    const isFull = queued.all >= this.#queueSize;
    const refused = refusal(
      this.#overloadOf(wanted),
      arrival,
      isFull ? this.#queueSize : null,
      wanted || name,
      why,
    );
    if (refused !== null) this.refused++;
    return refused;
  }

  #overloadOf(wanted: string): Overload {
    return (wanted === '' ? undefined : this.#byServer.get(wanted)) ?? this.#overload;
  }
}
