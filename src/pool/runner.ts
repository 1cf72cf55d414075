/**
 * The running half of a pool: slots, the connections in them, and the jobs on those. Sends a job on a kept
 * connection or a fresh one, and again where that is right; who comes next is the pool's affair.
 */
import { type HeadNames, headNames } from '../cgi/head.ts';
import type { Clock } from '../connection/clock.ts';
import { Connection } from '../connection/connection.ts';
import type { Exchange } from '../connection/exchange.ts';
import { type CloseReason, noneClosed } from '../connection/reuse.ts';
import type { Runtime } from '../connection/runtime.ts';
import type { Target } from '../connection/socket/address.ts';
import type { Connected } from '../connection/socket/connect.ts';
import { ReadBuffer } from '../connection/socket/read-buffer.ts';
import { ConnectError } from '../errors.ts';
import { RequestEncoder } from '../protocol/encoder.ts';
import { dial } from './dial.ts';
import type { Job } from './job.ts';
import { Learned } from './learned/learned.ts';
import type { PoolSettings } from './options.ts';
import type { PlannedBody } from './request/body.ts';
import { type Encoded, encode, isReadBeforeScript, pump } from './request/send.ts';
import { needsFreshConnection } from './retry/fresh-connection.ts';
import { retriesUnknown, shouldResend, textParam } from './retry/resend.ts';
import { RetryBudget } from './retry/retry.ts';
import { Slot, type SlotOwner } from './slot.ts';
import { Slots } from './slots.ts';

/** What the running half asks of the waiting half. */
export interface RunnerOwner {
  readonly clock: Clock;
  readonly closing: boolean;
  /** Requests that wait. */
  readonly queued: number;
  /** A slot has come free: the job that takes it, or null. */
  next(): Job | null;
  /** The server could not be reached for as long as may be. */
  onUnreachable(error: ConnectError): void;
}

export class Runner implements SlotOwner {
  readonly settings: PoolSettings;
  readonly headNames: HeadNames = headNames();
  readonly closed: Record<CloseReason, number>;
  readonly #owner: RunnerOwner;
  readonly clock: Clock;
  readonly #runtime: Runtime;
  readonly #target: Target;
  readonly #persistent: boolean;
  readonly #encoder: RequestEncoder = new RequestEncoder();
  readonly #readBuffer: ReadBuffer = new ReadBuffer();
  readonly #slots: Slots<Slot>;
  readonly #learned: Learned;
  readonly #budget: RetryBudget;
  /** Slots with a connection, or dialling for one. */
  readonly #open: Set<Slot> = new Set();
  busy = 0;
  idle = 0;
  retried = 0;

  constructor(
    owner: RunnerOwner,
    target: Target,
    settings: PoolSettings,
    persistent: boolean,
    runtime: Runtime,
  ) {
    this.clock = owner.clock;
    this.#runtime = runtime;
    this.#persistent = persistent;
    this.#owner = owner;
    this.#target = target;
    this.settings = settings;
    this.#slots = new Slots(settings.connections, () => new Slot(this));
    this.#learned = new Learned(settings, this.clock, runtime.random);
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
    return this.#learned.terminator.delay;
  }

  /** May one more job run? */
  hasRoom(): boolean {
    if (this.busy < this.#learned.turns.limit) return true;
    return (
      this.busy < this.settings.connections && this.busy < this.#learned.turns.capacity(this.clock.now())
    );
  }

  /** Takes a slot for the job; there must be room. */
  run(job: Job): void {
    this.busy++;
    this.#slots.acquire(
      (slot) => {
        if (slot.connection !== null) this.idle--;
        this.#occupy(slot, job);
      },
      (error) => {
        this.busy--;
        job.fail(error);
      },
    );
  }

  /** Gives the job up, wherever it is; it has nothing more to wait for. */
  abort(job: Job, reason: unknown): void {
    job.dialling?.abort(reason);
    job.connection?.fail(reason, this.closing ? 'pool-closed' : 'aborted');
  }

  tick(now: number): void {
    this.#slots.releaseUnused();
    for (const { connection, job } of this.#open) {
      if (job !== null && job.exchange !== null) this.#learned.silent(job.exchange, now);
      connection?.tick(now);
    }
    if (this.idle > 0 && this.#learned.turns.mustYield(now)) this.closeIdle('yield', 1);
  }

  closeIdle(reason: CloseReason, most: number): void {
    let left = most;
    for (const slot of this.#open) {
      if (left === 0) return;
      if (!slot.idle) continue;
      slot.connection?.close(reason);
      left--;
    }
  }

  /** The response is whole: on with the next job, on the same connection if it was kept. */
  complete(job: Job): void {
    this.#budget.served();
    this.#learned.complete(job.slot?.connection ?? null);
    this.#vacate(job);
  }

  /** True: it is sent again. False: it is over, and its slot is free. */
  failed(job: Job, error: unknown): boolean {
    if (job.exchange !== null) this.#learned.failed(job.exchange);
    const { slot } = job;
    if (slot === null) return false;
    if (shouldResend(job, error, this.settings, this.#budget)) {
      this.retried++;
      this.#fresh(slot, job);
      return true;
    }
    this.#vacate(job);
    return false;
  }

  mustYield(): boolean {
    return this.#learned.turns.anyWaiting && this.#learned.turns.mustYield(this.clock.now());
  }

  idleFull(): boolean {
    return this.idle >= this.settings.keepalive && this.#owner.queued === 0;
  }

  onFirstByte(exchange: Exchange): void {
    this.#learned.firstByte(exchange);
  }

  onClosed(slot: Slot, connection: Connection, reason: CloseReason): void {
    this.closed[reason]++;
    this.#learned.closed(connection, reason);
    if (slot.idle) this.idle--;
    this.#open.delete(slot);
  }

  #occupy(slot: Slot, job: Job): void {
    slot.job = job;
    job.slot = slot;
    if (job.over) {
      this.#vacate(job);
      return;
    }
    const { connection } = slot;
    if (connection === null || job.body === null) {
      this.#fresh(slot, job);
    } else if (this.#needsFresh(job, job.body, connection)) {
      // Its worker is free at once for the fresh connection, which else might wait behind this one for ever.
      connection.close('fresh-needed');
      this.#fresh(slot, job);
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

  #needsFresh(job: Job, body: PlannedBody, connection: Connection): boolean {
    const { backend, proxied, replayBuffer } = this.settings;
    const provable = backend !== 'php-fpm' || isReadBeforeScript(job.request, body.length);
    if (provable && body.kind === 'bytes' && !proxied) return false;
    return needsFreshConnection({
      proxied,
      retriedAnyway: retriesUnknown(job, this.settings),
      replayable: body.kind === 'bytes' || body.length <= replayBuffer,
      provable,
      settled: connection.settled,
    });
  }

  #fresh(slot: Slot, job: Job): void {
    const keepaliveRequests = this.#learned.keepaliveRequests();
    const encoded = this.#encode(job, 0, keepaliveRequests, false);
    if (encoded === null) return;
    const dialling = new AbortController();
    job.dialling = dialling;
    job.exchange = null;
    job.times.enter('connecting', this.clock.monotonic());
    this.#open.add(slot);
    const options = {
      runtime: this.#runtime,
      clock: this.clock,
      readBuffer: this.#readBuffer,
      signal: dialling.signal,
      timeout: this.settings.connectTimeout,
      retryRefused: this.#persistent,
      failures: job.freshFailures,
    };
    dial(this.#target, options).then(
      (connected) => this.#connected(slot, job, connected, keepaliveRequests, encoded),
      (error: unknown) => this.#notConnected(slot, job, error),
    );
  }

  #connected(slot: Slot, job: Job, connected: Connected, keepaliveRequests: number, encoded: Encoded): void {
    job.dialling = null;
    const connection = new Connection(slot, connected, this.#target.transport, keepaliveRequests);
    slot.connection = connection;
    if (job.over) {
      connection.close('aborted');
      this.#vacate(job);
      return;
    }
    this.#learned.turns.sent(encoded.exchange, this.clock.now(), this.#open.size);
    this.#send(connection, job, encoded);
  }

  #notConnected(slot: Slot, job: Job, error: unknown): void {
    job.dialling = null;
    job.attempts++;
    this.#open.delete(slot);
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
      this.#learned.keeps(textParam(job.request, 'SCRIPT_FILENAME'));
    try {
      if (body === null) throw new TypeError('the body of the request has not been planned');
      const terminate = this.#learned.terminator.atOnce();
      const encoded = encode(this.#encoder, job, body, this.settings, keepConn, owesTerminator, terminate);
      job.onEncoded(encoded.first, encoded.inline);
      return encoded;
    } catch (error) {
      // Later: a queue full of such requests would be a stack full of frames.
      queueMicrotask(() => {
        this.#vacate(job);
        job.fail(error);
      });
      return null;
    }
  }

  #send(connection: Connection, job: Job, encoded: Encoded): void {
    const { exchange, first, parts } = encoded;
    job.attempts++;
    job.connection = connection;
    job.exchange = exchange;
    job.times.enter('sent', this.clock.monotonic());
    if (connection.send(exchange, first, parts)) this.#encoder.reclaim(first);
    if (job.paused) connection.pause();
    if (parts === null && job.body !== null)
      void job.caller.runInAsyncScope(pump, undefined, connection, exchange, job.body, encoded.terminate);
  }

  /** The job leaves its slot: to the next one that waits, or back to the others. */
  #vacate(job: Job): void {
    const { slot } = job;
    if (slot === null) return;
    job.slot = null;
    slot.job = null;
    const next = this.busy <= this.#learned.turns.limit ? this.#owner.next() : null;
    if (next !== null) {
      this.#occupy(slot, next);
      return;
    }
    this.busy--;
    if (slot.connection !== null) this.idle++;
    this.#slots.release(slot);
  }
}
