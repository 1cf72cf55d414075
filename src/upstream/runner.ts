/**
 * The running half of a pool: places, the connections in them, and the jobs on those. Sends a job on a kept
 * connection or a fresh one, and again where that is right; who comes next is the pool's affair.
 */
import type { Target } from '../connection/address.ts';
import type { Connected } from '../connection/connect.ts';
import { Connection } from '../connection/connection.ts';
import type { Exchange } from '../connection/exchange.ts';
import { CLOSE_REASONS, type CloseReason } from '../connection/reuse.ts';
import { ConnectError } from '../errors.ts';
import { RequestEncoder } from '../protocol/encoder.ts';
import { mayRunTwice, sendAgain, textParam } from './again.ts';
import { dial } from './dial.ts';
import type { Job } from './job.ts';
import type { PoolSettings } from './options.ts';
import { Place, type PlaceOwner } from './place.ts';
import { Places } from './places.ts';
import { Recycling } from './recycling.ts';
import { RetryBudget } from './retry.ts';
import { type Encoded, encode, needsFresh, pump } from './send.ts';
import { Tails } from './tails.ts';
import { Terminator } from './terminator.ts';
import { Turns } from './turns.ts';

/** What the running half asks of the waiting half. */
export interface RunnerOwner {
  readonly closing: boolean;
  /** Requests that wait. */
  readonly queued: number;
  /** A place has come free: the job that takes it, or null. */
  next(): Job | null;
  /** The server could not be reached for as long as may be. */
  onUnreachable(error: ConnectError): void;
}

export class Runner implements PlaceOwner {
  readonly settings: PoolSettings;
  readonly closed: Record<CloseReason, number>;
  readonly #owner: RunnerOwner;
  readonly #target: Target;
  readonly #persistent: boolean;
  readonly #encoder: RequestEncoder = new RequestEncoder();
  readonly #places: Places<Place>;
  readonly #turns: Turns<Exchange>;
  readonly #terminator: Terminator;
  readonly #budget: RetryBudget;
  readonly #recycling: Recycling = new Recycling();
  readonly #tails: Tails = new Tails();
  /** Places with a connection, or dialling for one. */
  readonly #open: Set<Place> = new Set();
  readonly #placeOf: Map<Job, Place> = new Map();
  busy = 0;
  idle = 0;
  retried = 0;
  /** Connections that have had an answer, so that a worker has them. */
  #proven = 0;

  constructor(owner: RunnerOwner, target: Target, settings: PoolSettings, persistent: boolean) {
    this.#persistent = persistent;
    this.#owner = owner;
    this.#target = target;
    this.settings = settings;
    this.#places = new Places(settings.connections, () => new Place(this));
    this.#turns = new Turns(settings.connections);
    this.#terminator = new Terminator(settings.terminatorDelay);
    this.#budget = new RetryBudget(settings.connections);
    this.closed = noneClosed();
  }

  get connected(): number {
    return this.#open.size;
  }

  get closing(): boolean {
    return this.#owner.closing;
  }

  get terminatorDelay(): number {
    return this.#terminator.delay;
  }

  /** May one more job run? */
  hasRoom(): boolean {
    if (this.busy < this.#turns.limit) return true;
    return this.busy < this.settings.connections && this.busy < this.#turns.capacity(performance.now());
  }

  /** Takes a place for the job; there must be room. */
  run(job: Job): void {
    this.busy++;
    void this.#places.take().then((place) => {
      if (place.connection !== null) this.idle--;
      this.#occupy(place, job);
    });
  }

  /** Gives the job up, wherever it is; it has nothing more to wait for. */
  abort(job: Job, reason: unknown): void {
    job.dialling?.abort(reason);
    job.connection?.fail(reason, this.closing ? 'pool-closed' : 'aborted');
  }

  jobs(): Iterable<Job> {
    return [...this.#placeOf.keys()];
  }

  tick(now: number): void {
    for (const place of this.#open) place.connection?.tick(now);
    if (this.idle > 0 && this.#turns.mustYield(now)) this.closeIdle('yield', 1);
  }

  closeIdle(reason: CloseReason, most: number): void {
    let left = most;
    for (const place of this.#open) {
      if (left === 0) return;
      if (!place.idle) continue;
      place.connection?.close(reason);
      left--;
    }
  }

  /** The response is whole: on with the next job, on the same connection if it was kept. */
  complete(job: Job): void {
    this.#budget.served();
    this.#recycling.outlived(this.#placeOf.get(job)?.connection?.requests ?? 0);
    this.#vacate(job);
  }

  /** True: it is sent again. False: it is over, and its place is free. */
  failed(job: Job, error: unknown): boolean {
    if (job.exchange !== null) this.#turns.gone(job.exchange, performance.now());
    const place = this.#placeOf.get(job);
    if (place === undefined) return false;
    if (sendAgain(job, error, this.settings, this.#budget)) {
      this.retried++;
      this.#fresh(place, job);
      return true;
    }
    this.#vacate(job);
    return false;
  }

  mustYield(): boolean {
    return this.#turns.anyWaiting && this.#turns.mustYield(performance.now());
  }

  idleFull(): boolean {
    return this.idle >= this.settings.keepalive && this.#owner.queued === 0;
  }

  onFirstByte(_place: Place, exchange: Exchange): void {
    if (!exchange.reused) this.#proven++;
    this.#terminator.answered(exchange);
    this.#turns.answered(
      exchange,
      exchange.startedAt + exchange.firstByteAfter,
      exchange.firstByteAfter,
      this.#proven,
    );
  }

  onClosed(place: Place, reason: CloseReason): void {
    this.closed[reason]++;
    // The request that raced with the server's close was not answered.
    if (reason === 'server-closed') this.#recycling.ended(place.connection?.requests ?? 0);
    if (reason === 'recycled') this.#recycling.ended((place.connection?.requests ?? 1) - 1);
    if (place.connection?.proven) this.#proven--;
    if (place.idle) this.idle--;
    this.#open.delete(place);
  }

  #occupy(place: Place, job: Job): void {
    place.job = job;
    this.#placeOf.set(job, place);
    if (job.over) {
      this.#vacate(job);
      return;
    }
    const { connection } = place;
    if (connection === null || job.body === null) {
      this.#fresh(place, job);
    } else if (needsFresh(job.body, this.settings, mayRunTwice(job.request))) {
      // Its worker is free at once for the fresh connection, which else might wait behind this one for ever.
      connection.close('fresh-needed');
      this.#fresh(place, job);
    } else {
      const encoded = this.#encode(
        job,
        connection.requests,
        connection.keepaliveRequests,
        connection.owesTerminator,
      );
      if (encoded === null) return;
      this.#send(connection, job, encoded);
    }
  }

  #fresh(place: Place, job: Job): void {
    const keepaliveRequests = Math.min(jittered(this.settings.keepaliveRequests), this.#recycling.cap());
    const encoded = this.#encode(job, 0, keepaliveRequests, false);
    if (encoded === null) return;
    const dialling = new AbortController();
    job.dialling = dialling;
    job.exchange = null;
    this.#open.add(place);
    const patience = {
      timeout: this.settings.connectTimeout,
      again: this.#persistent,
      failures: job.freshFailures,
    };
    dial(this.#target, patience, dialling.signal).then(
      (connected) => this.#connected(place, job, connected, keepaliveRequests, encoded),
      (error: unknown) => this.#notConnected(place, job, error),
    );
  }

  #connected(
    place: Place,
    job: Job,
    connected: Connected,
    keepaliveRequests: number,
    encoded: Encoded,
  ): void {
    job.dialling = null;
    const { transport } = this.#target;
    const connection = new Connection(
      place,
      connected.socket,
      transport,
      connected.roundTrip,
      keepaliveRequests,
    );
    place.connection = connection;
    if (job.over) {
      connection.close('aborted');
      this.#vacate(job);
      return;
    }
    this.#turns.sent(encoded.exchange, performance.now(), this.#open.size);
    this.#send(connection, job, encoded);
  }

  #notConnected(place: Place, job: Job, error: unknown): void {
    job.dialling = null;
    job.attempts++;
    this.#open.delete(place);
    this.#vacate(job);
    job.onFailed(error);
    if (error instanceof ConnectError && error.code === 'FCGI_ERR_CONNECT_TIMEOUT')
      this.#owner.onUnreachable(error);
  }

  /** Null: the request cannot be encoded, and is over. */
  #encode(job: Job, requests: number, keepaliveRequests: number, owesTerminator: boolean): Encoded | null {
    const { body } = job;
    const keepConn =
      this.settings.keepalive > 0 &&
      !this.closing &&
      requests + 1 < keepaliveRequests &&
      this.#tails.keeps(textParam(job.request, 'SCRIPT_FILENAME'), performance.now());
    try {
      if (body === null) throw new TypeError('the body of the request has not been planned');
      const terminate = this.#terminator.atOnce();
      return encode(this.#encoder, job, body, this.settings, keepConn, owesTerminator, terminate);
    } catch (error) {
      this.#vacate(job);
      job.fail(error);
      return null;
    }
  }

  #send(connection: Connection, job: Job, encoded: Encoded): void {
    const { exchange, first, parts } = encoded;
    job.attempts++;
    job.connection = connection;
    job.exchange = exchange;
    if (connection.send(exchange, first, parts)) this.#encoder.reclaim(first);
    if (job.paused) connection.pause();
    if (parts === null && job.body?.kind === 'stream') {
      void pump(connection, exchange, job.body.stream, job.body.length, encoded.terminate);
    }
  }

  /** The job leaves its place: to the next one that waits, or back to the others. */
  #vacate(job: Job): void {
    const place = this.#placeOf.get(job);
    if (place === undefined) return;
    this.#placeOf.delete(job);
    place.job = null;
    const next = this.busy <= this.#turns.limit ? this.#owner.next() : null;
    if (next !== null) {
      this.#occupy(place, next);
      return;
    }
    this.busy--;
    if (place.connection !== null) this.idle++;
    this.#places.give(place);
  }
}

/** The cap less up to a tenth, so that connections opened together are not all renewed together. */
function jittered(keepaliveRequests: number): number {
  return keepaliveRequests - Math.floor((Math.random() * keepaliveRequests) / 10);
}

function noneClosed(): Record<CloseReason, number> {
  const closed: Partial<Record<CloseReason, number>> = {};
  for (const reason of CLOSE_REASONS) closed[reason] = 0;
  return closed as Record<CloseReason, number>;
}
