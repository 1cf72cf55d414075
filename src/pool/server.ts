/**
 * One server: its slots, the connections in them, and the jobs on those. Sends a job on a kept connection or a fresh
 * one, and again where that is right; who comes next is the scheduler's affair.
 */
import { type HeadNames, headNames } from '../cgi/head.ts';
import { type Clock, soon } from '../connection/clock.ts';
import { Connection } from '../connection/connection.ts';
import type { ConnectionOwner } from '../connection/owner.ts';
import { type CloseReason, noneClosed } from '../connection/reuse.ts';
import type { Runtime } from '../connection/runtime.ts';
import type { Target } from '../connection/socket/address.ts';
import type { Connected } from '../connection/socket/connect.ts';
import type { Job } from './job.ts';
import { Learned, type LearnedOwner } from './learned/learned.ts';
import type { PoolSettings } from './options.ts';
import type { Encoded } from './request/encode-request.ts';
import { Sender, type SenderOwner } from './request/sender.ts';
import { shouldResend } from './retry/resend.ts';
import { RetryBudget } from './retry/retry.ts';
import { abort, endAbandoned } from './slots/abandon.ts';
import { BackendCheck } from './slots/backend-check.ts';
import { closeIdle, closeStillIdle, closeUnwanted, isHeldBack, Slot } from './slots/slot.ts';
import { Slots } from './slots/slots.ts';
import { ReplyWaits } from './slots/wait-for-reply.ts';

/** What a server asks of the scheduler. */
export interface ServerOwner extends SenderOwner, LearnedOwner {
  readonly closing: boolean;
  /** It goes on as soon as a slot is free, in front of the others. */
  requeue(job: Job): void;
  runQueued(): void;
  /** A slot has come free: the job that takes it, or null. */
  next(server: Server): Job | null;
}

export class Server implements ConnectionOwner {
  readonly target: Target;
  readonly name: string;
  readonly settings: PoolSettings;
  readonly clock: Clock;
  readonly headNames: HeadNames = headNames();
  readonly closed: Record<CloseReason, number> = noneClosed();
  /** Slots with a connection or dialling for one, slots with a job, and connections without one. */
  readonly open: Set<Slot> = new Set();
  busy = 0;
  idle = 0;
  served = 0;
  retried = 0;
  readonly learned: Learned;
  readonly backlog: Learned['backlog'];
  readonly backendCheck: BackendCheck;
  readonly #owner: ServerOwner;
  readonly #slots: Slots<Slot>;
  readonly #sender: Sender;
  readonly #budget: RetryBudget;
  readonly #replyWaits: ReplyWaits<Job>;
  /** It was taken out of the list. */
  isRetired = false;

  /** `retryRefused`: dials again within connectTimeout; else another server is asked first. */
  constructor(
    owner: ServerOwner,
    target: Target,
    settings: PoolSettings,
    runtime: Runtime,
    retryRefused: boolean,
  ) {
    this.#owner = owner;
    this.target = target;
    this.name = target.name;
    this.settings = settings;
    this.clock = owner.clock;
    this.#slots = new Slots(settings.connections, () => new Slot());
    this.learned = new Learned(settings, this.clock, runtime.random, owner);
    this.backlog = this.learned.backlog;
    this.#sender = new Sender(target, settings, runtime, owner, this.learned, retryRefused);
    this.#budget = new RetryBudget(settings.connections);
    this.backendCheck = new BackendCheck(this, this.#sender, !retryRefused);
    this.#replyWaits = new ReplyWaits(this.clock, {
      inTime: (slot, job) => this.#arrive(slot, job),
      late: (job) => owner.requeue(job),
      over: (slot) => this.#release(slot),
    });
  }

  get connected(): number {
    return this.open.size;
  }

  /** So many were seen to run at once for us; 0: not yet known. */
  get workers(): number {
    return this.learned.workers.found;
  }

  get hasRoom(): boolean {
    return this.busy < this.settings.connections && (this.idle > 0 || !isHeldBack(this));
  }

  /** Takes a slot for the job; there must be room. */
  run(job: Job): void {
    this.busy++;
    const slot = this.#slots.takeFree();
    if (slot !== null) this.#arrive(slot, job);
    else this.#acquire(job, (free) => this.#arrive(free, job));
  }

  /** The job fails where generic-pool is not installed. */
  #acquire(job: Job, use: (slot: Slot) => void): void {
    this.#slots.acquire(use, (error) => {
      this.busy--;
      job.fail(error);
    });
  }

  /** Who waits for a reply was here before the job: he goes on with its slot, and it waits in his place. */
  #arrive(slot: Slot, job: Job): void {
    const mayGo = !job.over && (!slot.connection?.idleCheck.isPending || this.hasRoom);
    const first = mayGo ? this.#replyWaits.takeFirst(job.queuedAt) : null;
    this.#assign(slot, first?.job ?? job, first === null);
    if (first !== null) this.#assign(first.slot, job);
  }

  /** The caller wants no more of the job. */
  abort(job: Job, reason: unknown): void {
    abort(job, reason, this);
  }

  onTick(now: number): void {
    this.#slots.releaseUnused();
    this.learned.workers.onTick();
    if (this.busy > 0) this.#sender.onTick(now);
    for (const slot of this.open) {
      endAbandoned(slot, now);
      const { connection, job } = slot;
      if (job !== null && job.exchange !== null) this.learned.silent(job.exchange, now);
      connection?.onTick(now);
    }
    if (this.idle > 0) closeIdle(this.open, 'yield', this.learned.workers.waiting);
  }

  /** It takes no more jobs, and keeps no connection behind those that it has. */
  retire(): void {
    this.isRetired = true;
    this.close();
  }

  /** Closes all that carries no request of somebody who still wants it. */
  close(): void {
    this.backendCheck.close();
    closeUnwanted(this.open, 'pool-closed');
  }

  /** The response is whole: on with the next job, on the same connection if it was kept. */
  complete(job: Job): void {
    this.#budget.served();
    if (job.abandoned === null) this.served++;
    this.#sender.reclaim(job);
    const asked = this.backendCheck.afterResponse(job.slot, job.exchange);
    if (asked === null) this.releaseSlot(job);
    else void asked.then(() => this.releaseSlot(job));
  }

  resend(job: Job, error: unknown): boolean {
    const { slot } = job;
    if (job.exchange !== null) this.learned.ended(job.exchange);
    if (slot === null || !shouldResend(job, error, this.settings, this.#budget)) return false;
    this.retried++;
    this.#dial(slot, job);
    return true;
  }

  /** The job leaves its slot: to the next one that waits, or back to the others. */
  releaseSlot(job: Job): void {
    const { slot } = job;
    if (slot === null) return;
    if (job.exchange !== null) this.learned.ended(job.exchange);
    job.slot = slot.job = null;
    this.#release(slot);
  }

  #release(slot: Slot): void {
    const next = slot.connection === null && isHeldBack(this) ? null : this.#owner.next(this);
    if (next !== null) {
      this.#arrive(slot, next);
      return;
    }
    this.busy--;
    if (slot.connection !== null) {
      slot.idle = true;
      this.idle++;
      this.learned.yieldSoon((count) => closeIdle(this.open, 'yield', count));
      this.learned.freeSoon(() => closeStillIdle(this.open));
    }
    this.#slots.release(slot);
  }

  get closing(): boolean {
    return this.isRetired || this.#owner.closing;
  }

  idleFull(): boolean {
    return this.idle >= this.settings.keepalive && this.#owner.queued === 0;
  }

  #onClosed(slot: Slot, connection: Connection, reason: CloseReason): void {
    this.closed[reason]++;
    this.learned.closed(connection, reason);
    if (slot.endIdle()) this.idle--;
    slot.disconnected(this.target, reason, this.clock.now());
    this.open.delete(slot);
    if (reason === 'keepalive-timeout') this.backendCheck.onIdleClosed();
  }

  /** `mayWait`: for the reply of a worker that may be back soon. Else the slot stays busy, as its worker is, and the job takes another. */
  #assign(slot: Slot, job: Job, mayWait = true): void {
    if (slot.endIdle()) this.idle--;
    const { connection } = slot;
    const idleCheck = connection?.idleCheck.isPending ? connection.idleCheck : null;
    if (idleCheck !== null && (idleCheck.isLate || !mayWait) && this.hasRoom && !job.over) {
      slot.job = null;
      idleCheck.onceSettled(() => this.#release(slot));
      this.busy++;
      this.#acquire(job, (other) => this.#assign(other, job, mayWait));
      return;
    }
    slot.job = job;
    job.slot = slot;
    job.server = this;
    if (job.over) {
      this.releaseSlot(job);
      return;
    }
    const monotonic = this.clock.monotonic();
    job.startedAt = this.clock.at(monotonic);
    job.times.givenAt = monotonic;
    const choice = connection === null ? 'fresh' : this.#sender.choose(job, connection);
    if (connection === null || choice === 'fresh') {
      // Its worker is free at once for the fresh connection, which else might wait behind this one for ever.
      connection?.close('fresh-needed');
      this.#dial(slot, job);
    } else if (choice === 'asked') {
      this.#replyWaits.wait(slot, job, connection.idleCheck);
    } else {
      const encoded = this.#encode(job, connection, connection.limits.keepaliveRequests);
      if (encoded !== null) this.#sender.send(connection, job, encoded, this.open.size, monotonic);
    }
  }

  #dial(slot: Slot, job: Job): void {
    const keepaliveRequests = this.learned.keepaliveRequests();
    // What cannot be encoded is not worth a connection.
    const encoded = this.#encode(job, null, keepaliveRequests);
    if (encoded === null) return;
    if (this.open.size >= this.settings.connections) this.backendCheck.detection.giveWay();
    this.open.add(slot);
    this.#sender.dial(job, { exchange: encoded.exchange, server: this }).then(
      (connected) => this.#connected(slot, job, connected, keepaliveRequests, encoded),
      (error: unknown) => {
        job.attempts++;
        this.open.delete(slot);
        slot.used = true;
        job.onFailed(error);
      },
    );
  }

  #connected(slot: Slot, job: Job, connected: Connected, keepaliveRequests: number, encoded: Encoded): void {
    this.learned.opened(this.target.transport === 'tcp' ? connected.roundTrip : null);
    const connection = new Connection(this, connected, {
      transport: this.target.transport,
      keepaliveRequests,
      isPoolClosing: () => this.#owner.closing,
      onClosed: (reason) => this.#onClosed(slot, connection, reason),
    });
    slot.connection = connection;
    this.#sender.recheck(job, connection.proven);
    if (job.over) {
      // A worker that has come for it may serve the next in line.
      if (!connection.proven || this.#owner.queued === 0) connection.close('aborted');
      this.releaseSlot(job);
      return;
    }
    this.#sender.send(connection, job, encoded, this.open.size, this.clock.monotonic());
    if (connection.proven) this.#owner.runQueued();
  }

  /** Null: the request cannot be encoded, and is over. */
  #encode(job: Job, connection: Connection | null, keepaliveRequests: number): Encoded | null {
    try {
      return this.#sender.encode(job, connection, keepaliveRequests, this.closing);
    } catch (error) {
      // Later: a queue full of such requests would be a stack full of frames.
      soon(() => {
        this.releaseSlot(job);
        job.fail(error);
      });
      return null;
    }
  }
}
