/** The waiting half of a pool: who is let in, who waits, and how it all ends. Running them is the runner's affair. */

import { Clock } from '../connection/clock.ts';
import type { CloseReason } from '../connection/reuse.ts';
import { type Runtime, systemRuntime } from '../connection/runtime.ts';
import type { Target } from '../connection/socket/address.ts';
import { ConnectError, PoolError } from '../errors.ts';
import { AbortListeners } from './abort-listeners.ts';
import type { DispatchHandler, DispatchRequest } from './dispatcher.ts';
import { Job, type JobOwner } from './job.ts';
import { LinkedList } from './linked-list.ts';
import type { PoolSettings } from './options.ts';
import { type PlannedBody, planBody } from './request/body.ts';
import { checkRequest } from './request/validate.ts';
import { Runner, type RunnerOwner } from './runner.ts';
import type { Stats } from './stats.ts';

export class PoolCore implements JobOwner, RunnerOwner {
  readonly clock: Clock;
  readonly signals: AbortListeners;
  readonly #target: Target;
  readonly #settings: PoolSettings;
  readonly #runner: Runner;
  readonly #queue: LinkedList<Job> = new LinkedList();
  /** Jobs that neither wait nor are over: they run, or their bodies are read first. */
  readonly #running: LinkedList<Job> = new LinkedList();
  #served = 0;
  #closing = false;
  #onClosed: (() => void)[] = [];

  /** `persistent`: dials again within connectTimeout; else another server is asked first. */
  constructor(
    target: Target,
    settings: PoolSettings,
    persistent = true,
    runtime: Runtime = systemRuntime,
    signals: AbortListeners = new AbortListeners(),
  ) {
    this.clock = new Clock(runtime.timers);
    this.signals = signals;
    this.#target = target;
    this.#settings = settings;
    this.#runner = new Runner(this, target, settings, persistent, runtime);
  }

  get server(): string {
    return this.#target.name;
  }

  get closing(): boolean {
    return this.#closing;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get stats(): Stats {
    const { connected, idle, retried, closed } = this.#runner;
    return {
      connected,
      busy: connected - idle,
      idle,
      queued: this.#queue.size,
      served: this.#served,
      retried,
      closed: { ...closed },
    };
  }

  get alive(): number {
    return this.#queue.size + this.#running.size;
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    this.start(new Job(this, request, handler));
  }

  /** A new job. Whatever is wrong with it is told to its handler. */
  start(job: Job): void {
    this.#running.add(job);
    try {
      if (this.#closing) throw this.#closed();
      checkRequest(job.request);
      if (!job.begin(this.#settings.timeout)) return;
      const body = planBody(job.request.body, job.request.params, this.#settings.replayBuffer);
      if (body.kind === 'unread') {
        job.unread = body.stream;
        body.whole.then(
          (planned) => this.#admit(job, planned),
          (error: unknown) => job.fail(error),
        );
      } else {
        this.#admit(job, body);
      }
      job.leaveCaller();
    } catch (error) {
      job.fail(error);
    }
  }

  /** A job that another server could not serve. */
  accept(job: Job): void {
    this.#running.add(job);
    if (this.#closing) job.onFailed(this.#closed());
    else if (job.body !== null) this.#admit(job, job.body);
  }

  /** A job is over, or has moved on. */
  leave(job: Job): void {
    job.list?.remove(job);
    if (this.alive > 0 || !this.#closing) return;
    this.#runner.closeIdle('pool-closed', Number.POSITIVE_INFINITY);
    for (const resolve of this.#onClosed) resolve();
    this.#onClosed = [];
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#runner.closeIdle('pool-closed', Number.POSITIVE_INFINITY);
    if (this.alive === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onClosed.push(resolve));
  }

  destroy(reason?: Error): Promise<void> {
    const closed = this.close();
    const message = `the pool to ${this.#target.name} was destroyed`;
    // Those that wait first: else they would move up. An error for each, as each is told what was seen of its own.
    for (const job of [...this.#queue.toArray(), ...this.#running.toArray()]) {
      job.abort(reason ?? new PoolError('FCGI_ERR_DESTROYED', message));
    }
    return closed;
  }

  next(): Job | null {
    const job = this.#queue.first;
    if (job !== null) this.#running.add(job);
    return job;
  }

  /** Those who have waited as long as the one that could not be connected need not try again one by one. */
  onUnreachable(error: ConnectError): void {
    const since = this.clock.now() - this.#settings.connectTimeout;
    for (let job = this.#queue.first; job !== null && job.queuedAt <= since; job = this.#queue.first) {
      this.#running.add(job);
      job.onFailed(
        new ConnectError(error.code, error.message, { cause: error, facts: { hint: error.hint } }),
      );
    }
  }

  onAbort(job: Job, reason: unknown): void {
    // It must not be the next one when its slot comes free.
    this.#running.add(job);
    this.#runner.abort(job, reason);
  }

  onComplete(job: Job, _verdict: 'keep' | CloseReason): void {
    this.#served++;
    this.#runner.complete(job);
  }

  onFailure(job: Job, error: unknown): boolean {
    return this.#runner.failed(job, error);
  }

  onOver(job: Job): void {
    this.leave(job);
  }

  #closed(): PoolError {
    return new PoolError('FCGI_ERR_CLOSED', `the pool to ${this.#target.name} is closed`);
  }

  #admit(job: Job, body: PlannedBody): void {
    if (job.over) return;
    job.body = body;
    job.times.enter('queued', this.clock.monotonic());
    // What waits here waits for a socket, and that keeps the process alive; the clock need not.
    this.clock.start(this.#onBeat);
    if (this.#queue.size === 0 && this.#runner.hasRoom()) {
      this.#runner.run(job);
      return;
    }
    const { queueSize } = this.#settings;
    if (this.#queue.size >= queueSize) {
      const message = `${queueSize} requests wait already for a connection to ${this.#target.name}`;
      job.onFailed(new PoolError('FCGI_ERR_QUEUE_FULL', message));
      return;
    }
    job.queuedAt = this.clock.now();
    this.#queue.add(job);
  }

  readonly #onBeat = (): void => {
    const now = this.clock.now();
    this.#runner.tick(now);
    this.#expire(now);
    while (this.#queue.size > 0 && this.#runner.hasRoom()) {
      const job = this.next();
      if (job !== null) this.#runner.run(job);
    }
    if (this.alive === 0 && this.#runner.connected === 0) this.clock.stop();
  };

  #expire(now: number): void {
    const { queueTimeout } = this.#settings;
    if (queueTimeout === 0) return;
    // In the order in which they came: the first that may still wait ends the search.
    const since = now - queueTimeout;
    for (let job = this.#queue.first; job !== null && job.queuedAt <= since; job = this.#queue.first) {
      this.#running.add(job);
      const message = `no connection to ${this.#target.name} came free within ${queueTimeout} ms`;
      job.onFailed(new PoolError('FCGI_ERR_QUEUE_TIMEOUT', message));
    }
  }
}
