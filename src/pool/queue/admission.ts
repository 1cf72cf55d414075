/** Is a new request let in? Keeps what the rule of overload.ts needs to know. */
import { type ConnectError, type PoolError, SocketError } from '../../errors.ts';
import { Histogram } from '../stats/histogram.ts';
import { type Arrival, BURST, Overload } from './overload.ts';
import { refusal, stale, tooLate, tooOld } from './refusal.ts';

/** What a server has in hand, and what it can do. */
interface Load {
  readonly name: string;
  readonly busy: number;
  /** So many have been seen to run at once: there may be more. */
  readonly workers: number;
  readonly backlog: Backlog;
}

/** `name`: of them all, for messages. */
interface Loads {
  readonly name: string;
  readonly servers: readonly Load[];
}

/** New connections that wait for a worker, as far as that is known. Times in ms. */
export interface Backlog {
  /** So many of ours are known to wait there. */
  readonly size: number;
  /** One more would wait so long. 0: none waits. */
  readonly wait: number;
  /** The latest with none of ours in front of it has waited so long. */
  readonly behindOthers: number;
}

/** A request that was let in, at `queuedAt`. */
interface Waiting {
  readonly queuedAt: number;
  /** null: it has not been sent. */
  readonly connection: unknown;
  readonly exchange: { readonly bytesReceived: number } | null;
}

/** A request that waits. */
interface Staying {
  readonly queuedAt: number;
  /** How often it was sent. */
  readonly attempts: number;
  readonly request: { readonly server?: string | undefined };
}

/** How many wait already. */
interface Queued {
  /** In all, without those that are held back. */
  readonly all: number;
  /** In front of this one. */
  readonly before: number;
}

/** So few pages say nothing of what the usual one takes. */
const LEAST_PAGES = 8;

export class Admission {
  /** How many were not let in. */
  refused = 0;
  /** Of the requests that any server may have. */
  readonly #overload: Overload = new Overload();
  /** Of those that have asked for a certain server. */
  readonly #byServer: Map<string, Overload> = new Map();
  /** What requests took from sending to the end; and those alone that had their worker as they were sent. */
  readonly #times: Histogram = new Histogram();
  readonly #pages: Histogram = new Histogram();
  /** Two of five took no longer, ms. 0: not known. */
  #usual = 0;
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

  /**
   * `took`, `age`: ms from sending, and from letting it in, to the end. `age` -1: its client had left. `hadWorker`: it has not waited in the
   * backlog of the server meanwhile.
   */
  served(wanted: string, now: number, took: number, age: number = took, hadWorker = true): void {
    this.#times.add(took);
    if (hadWorker) this.#pages.add(took);
    this.#overloadOf(wanted).served(now, took, age);
  }

  /** It has failed, and is not sent again. */
  failed(wanted: string, error: unknown, now: number): void {
    if (error instanceof SocketError && error.executed !== 'no') this.#overloadOf(wanted).died(now);
  }

  /** Its client has left. Who does so in the middle of an answer was not tired of waiting for one. */
  left(wanted: string, job: Waiting, now: number): void {
    const { queuedAt, connection, exchange } = job;
    if (exchange !== null && exchange.bytesReceived > 0) return;
    this.#overloadOf(wanted).left(now, now - queuedAt, connection !== null);
  }

  /** Nobody waits in the queue; connections to more than the workers that are known wait in the backlog of a server. */
  emptied(wanted: string, servers: readonly Load[], now: number): void {
    for (const { name, busy, workers, backlog } of servers) {
      if ((wanted !== '' && name !== wanted) || busy >= Math.max(1, workers)) continue;
      if (hasQueue(backlog)) continue;
      this.#overloadOf(wanted).idle(now);
      if (this.#byServer.size === 0) return;
      this.#byServer.get(name)?.idle(now);
    }
  }

  /** One is sent. While none is, all have waited for a server (a name is looked up, say), and not for its workers. */
  sends(servers: readonly Load[], now: number): void {
    for (const { busy, backlog } of servers) if (busy > 0 || hasQueue(backlog)) return;
    this.#overload.idle(now);
  }

  /** Those in the queue could run: they wait for the first answer of a server, and no longer than that. */
  heldBack(now: number): void {
    this.#overload.idle(now);
  }

  /** Called every few ms. */
  onTick(servers: readonly Load[], queued: number): void {
    if (queued > 0 || anyWaits(servers))
      this.#usual = (this.#pages.count < LEAST_PAGES ? this.#times : this.#pages).percentile(0.4);
  }

  /** Forgets the servers that there are no more. */
  keep(servers: readonly { readonly name: string }[]): void {
    this.#times.rotate();
    this.#pages.rotate();
    for (const wanted of this.#byServer.keys())
      if (!servers.some(({ name }) => name === wanted)) this.#byServer.delete(wanted);
  }

  /** Those that wait for nothing any more, the oldest of each line first; each must be taken out of its line. */
  *stale<Job extends Staying>(
    lines: readonly { readonly first: Job | null; readonly size: number }[],
    { servers, name }: Loads,
    now: number,
  ): Generator<{ readonly job: Job; readonly error: PoolError }> {
    for (const line of lines) {
      if (line.first === null) continue;
      const wanted = wantedBy(line.first);
      const overload = this.#overloadOf(wanted);
      const { by, most } = overload.stale(
        this.#arrival(wanted, servers, line.size, now),
        line.first.queuedAt,
      );
      for (let job: Job | null = line.first, count = 0; count < most; job = line.first, count++) {
        // one that is sent again was a worker's before, and is the next in any case
        if (job === null || job.queuedAt > by || job.attempts > 0) break;
        yield { job, error: this.#stale(overload, job.queuedAt, by, wanted || name, now) };
      }
    }
  }

  /** null: it may be sent at once. `name`: of the servers, for the message. */
  tooLate(wanted: string, servers: readonly Load[], name: string, now: number): PoolError | null {
    const overload = this.#overloadOf(wanted);
    // The hot path: nothing is known to be late.
    const mayBeLate = overload.longestStay(now) < Number.POSITIVE_INFINITY;
    if (!mayBeLate && !anyWaits(servers)) return null;
    const refused = tooLate(overload, this.#arrival(wanted, servers, 0, now), wanted || name);
    return this.#counted(refused);
  }

  /** A worker has its connection, nothing is sent yet, and `queued` wait behind it: is it too old by now? null: it may be sent. */
  tooOld(
    wanted: string,
    { servers, name }: Loads,
    { queuedAt, attempts }: Pick<Staying, 'queuedAt' | 'attempts'>,
    queued: number,
    now: number,
  ): PoolError | null {
    const overload = this.#overloadOf(wanted);
    const refused = tooOld(overload, now - queuedAt, name, now);
    // One that is sent again was a worker's before.
    if (refused !== null || attempts > 0) return this.#counted(refused);
    const { by, most } = overload.stale(this.#arrival(wanted, servers, queued, now), queuedAt);
    return most < 1 ? null : this.#stale(overload, queuedAt, by, wanted || name, now);
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
    return this.#counted(refused);
  }

  /** Refuses one that has waited for too long, and counts it. */
  #stale(overload: Overload, queuedAt: number, by: number, name: string, now: number): PoolError {
    overload.refusedStale(now);
    this.refused++;
    return stale(now - queuedAt, by - queuedAt, name);
  }

  #counted(refused: PoolError | null): PoolError | null {
    if (refused !== null) this.refused++;
    return refused;
  }

  #arrival(wanted: string, servers: readonly Load[], queued: number, now: number): Arrival {
    let sent = 0;
    let known = 0;
    let backlog = Number.POSITIVE_INFINITY;
    let inBacklog = 0;
    for (const { name, busy, workers, backlog: one } of servers) {
      if (wanted !== '' && name !== wanted) continue;
      sent += busy;
      // Those that wait in the backlog show that others have the workers: ours are those that run something for us now.
      known += Math.max(1, one.size > 0 ? Math.min(workers, busy - one.size) : workers);
      backlog = Math.min(backlog, one.wait);
      inBacklog += one.size;
    }
    if (known === 0) backlog = 0;
    return { now, queued, sent, workers: known, inBacklog, backlog, usual: this.#usual };
  }

  #overloadOf(wanted: string): Overload {
    return (wanted === '' ? undefined : this.#byServer.get(wanted)) ?? this.#overload;
  }
}

/** What a server may have at once. */
interface Holding {
  readonly name: string;
  readonly hasRoom: boolean;
  readonly busy: number;
  readonly settings: { readonly connections: number };
  readonly backendCheck: { readonly held: number };
}

/**
 * Of those in the queue so many might have a connection, and would only wait longer with it. They do not count for `queueSize`: who has
 * as many requests as connections would have some of them refused. `wanted`: the server that was asked for; '' for any. `connections`: as
 * many wait for a name that has not been looked up yet.
 */
export function heldBackOf(servers: readonly Holding[], wanted: string, connections: number): number {
  let count = servers.length === 0 ? connections : 0;
  for (const { name, hasRoom, busy, settings, backendCheck } of servers) {
    if ((wanted === '' || name === wanted) && !hasRoom)
      count += settings.connections - busy + backendCheck.held;
  }
  return count;
}

/** Connections of ours are known to wait for a worker. */
function anyWaits(servers: readonly Load[]): boolean {
  return servers.some(({ backlog }) => backlog.size > 0);
}

/** Others have the workers: where one of ours comes free, none is idle. */
function hasQueue({ size, behindOthers }: Backlog): boolean {
  return size > 0 || behindOthers > BURST;
}

/** The server that it has asked for; '' for any. */
export function wantedBy({
  request,
}: {
  readonly request: { readonly server?: string | undefined };
}): string {
  return request.server ?? '';
}
