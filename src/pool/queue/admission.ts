/** Is a new request let in? Keeps what the rule of overload.ts needs to know. */
import type { PoolError } from '../../errors.ts';
import { Overload } from './overload.ts';
import { refusal } from './refusal.ts';

/** What a server has in hand, and what it can do. */
interface Load {
  readonly busy: number;
  /** So many have been seen to run at once: there may be more. */
  readonly workers: number;
}

export class Admission {
  /** What the usual request takes from sending to the end, ms: two of five took no longer. 0: not known. */
  usual = 0;
  /** How many were not let in. */
  refused = 0;
  readonly #overload: Overload = new Overload();
  readonly #queueSize: number;

  constructor(queueSize: number) {
    this.#queueSize = queueSize;
  }

  arrived(now: number): void {
    this.#overload.arrived(now);
  }

  served(now: number): void {
    this.#overload.served(now);
  }

  /** Nobody waits in the queue; connections to more than the workers that are known wait in the backlog of a server. */
  emptied(servers: readonly Load[], now: number): void {
    for (const { busy, workers } of servers) {
      if (busy >= Math.max(1, workers)) continue;
      this.#overload.idle(now);
      return;
    }
  }

  /** Those in the queue could run: they wait for the first answer of a server, and no longer than that. */
  heldBack(now: number): void {
    this.#overload.idle(now);
  }

  /** null: it may wait behind `queued` others. `name`: of the servers, for the message. */
  refusal(servers: readonly Load[], queued: number, name: string, now: number): PoolError | null {
    let sent = 0;
    let known = 0;
    for (const { busy, workers } of servers) {
      sent += busy;
      known += Math.max(1, workers);
    }
    const arrival = { now, queued, sent, workers: known, usual: this.usual };
    const refused = refusal(this.#overload, arrival, this.#queueSize, name);
    if (refused !== null) this.refused++;
    return refused;
  }
}
