/**
 * Who is let in, who waits, and how it all ends, over one server (Pool) or several (Upstream). There is one queue:
 * nobody waits for one server while another has room.
 */
import { Clock, TICK_INTERVAL } from '../connection/clock.ts';
import type { Runtime } from '../connection/runtime.ts';
import { sourceStuck } from '../connection/timeouts.ts';
import { ConnectError, type FcgiError, PoolError } from '../errors.ts';
import { RequestEncoder } from '../protocol/encoder.ts';
import type { Balancer } from './balancer.ts';
import { publishQueued } from './channels.ts';
import type { DispatchHandler, DispatchRequest } from './dispatcher.ts';
import { Job, type JobOwner } from './job.ts';
import { Answers } from './learned/background-work.ts';
import { BodyReading } from './learned/body-reading.ts';
import type { PoolSettings } from './options.ts';
import { AbortListeners } from './queue/abort-listeners.ts';
import { Admission, heldBackOf, wantedBy } from './queue/admission.ts';
import { Deliveries } from './queue/deliveries.ts';
import { LinkedList } from './queue/linked-list.ts';
import { Queue } from './queue/queue.ts';
import { refusedBy, waitedTooLong } from './queue/refusal.ts';
import { type PlannedBody, planBody } from './request/body.ts';
import { noteDelay } from './request/delay.ts';
import { checkRequest } from './request/validate.ts';
import type { Server, ServerOwner } from './server.ts';
import { Durations } from './stats/durations.ts';
import { type Stats, statsOf } from './stats/stats.ts';

/** ms. Not at once: who asks again in a loop must not keep the event loop from the answers. */
const REFUSED_AFTER = TICK_INTERVAL;

export class Scheduler implements JobOwner, ServerOwner {
  readonly clock: Clock;
  readonly encoder: RequestEncoder = new RequestEncoder();
  readonly bodyReading: BodyReading = new BodyReading();
  readonly answers: Answers = new Answers();
  readonly signals: AbortListeners = new AbortListeners();
  readonly deliveries: Deliveries;
  readonly #settings: PoolSettings;
  readonly balancer: Balancer;
  readonly #queue: Queue<Job> = new Queue<Job>(wantedBy);
  /** Jobs that neither wait nor are over: they run, or their bodies are read first. */
  readonly #running: LinkedList<Job> = new LinkedList();
  readonly #admission: Admission;
  readonly #durations: Durations = new Durations();
  closing = false;
  readonly #onClosed: (() => void)[] = [];

  /** `balancerOf` makes the servers, which need their scheduler. */
  constructor(settings: PoolSettings, runtime: Runtime, balancerOf: (scheduler: Scheduler) => Balancer) {
    this.clock = new Clock(runtime.timers);
    this.deliveries = new Deliveries(this.clock);
    this.#settings = settings;
    this.#admission = new Admission(settings.queueSize);
    this.balancer = balancerOf(this);
  }

  /** For messages. */
  get server(): string {
    return this.balancer.name;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get alive(): number {
    return this.#queue.size + this.#running.size;
  }

  get stats(): Stats {
    const { size, oldest } = this.#queue;
    return statsOf(this.balancer.counts, {
      queued: size,
      queueAge: oldest === null ? 0 : this.clock.now() - oldest.queuedAt,
      refused: this.#admission.refused,
      ...this.#durations.summaries(this.clock.now()),
    });
  }

  /** A new request. Whatever is wrong with it is told to its handler. */
  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    const monotonic = this.clock.monotonic();
    const job = new Job(this, request, handler, monotonic);
    this.#running.add(job);
    try {
      if (this.closing) throw new PoolError('FCGI_ERR_CLOSED', `the pool to ${this.server} is closed`);
      checkRequest(request);
      // Before its deadline is set: from here on the time in which our event loop stands still is none of it.
      if (this.clock.start(this.#onBeat)) this.balancer.onStart();
      this.#durations.forget(this.clock.at(monotonic));
      if (!job.begin(this.#settings.timeout)) return;
      job.snapshot.hashKey = this.balancer.hashKey(request);
      const body = planBody(request.body, request.params, this.#settings.replayBuffer);
      if (body.kind === 'unread') {
        job.unread = body.stream;
        body.read.then(
          (planned) => this.#admit(job, planned, this.clock.monotonic()),
          (error: unknown) => job.fail(error),
        );
      } else this.#admit(job, body, monotonic);
      if (!job.over) job.snapshot.detach(this.encoder);
    } catch (error) {
      job.fail(error);
    }
  }

  close(): Promise<void> {
    this.closing = true;
    for (const server of this.balancer.servers) server.close();
    if (this.alive === 0) return Promise.resolve();
    this.#failUnread();
    return new Promise((resolve) => this.#onClosed.push(resolve));
  }

  destroy(reason?: Error): Promise<void> {
    const closed = this.close();
    this.deliveries.flush();
    const message = `the pool to ${this.balancer.name} was destroyed`;
    // Those that wait first: else they would move up. An error for each, as each is told what was seen of its own.
    for (const job of [...this.#queue.toArray(), ...this.#running.toArray()]) {
      job.abort(reason ?? new PoolError('FCGI_ERR_DESTROYED', message));
    }
    return closed;
  }

  /** Runs a job on a server that has room. */
  run(job: Job, server: Server, now: number = this.clock.now()): void {
    this.#admission.sends(this.balancer.servers, now);
    this.#running.add(job);
    this.#durations.waiting.add(now - job.queuedAt);
    server.run(job);
  }

  failTooOld(job: Job): void {
    const queued = this.#queue.sizeFor(job);
    const refused = this.#admission.tooOld(wantedBy(job), this.balancer, job, queued, this.clock.now());
    if (refused !== null) job.fail(refused);
  }

  /** A job that was let in before, and goes on as soon as a server suits it: in front of the others. */
  requeue(job: Job): void {
    job.slot = null;
    if (job.over) return;
    job.times.enter('queued', this.clock.monotonic());
    this.#queue.addFirst(job);
    this.runQueued();
  }

  next(server: Server): Job | null {
    const job = this.#queue.firstFor(server.name, (one) => this.balancer.accepts(server, one));
    if (job === null) return null;
    this.#running.add(job);
    const now = this.clock.now();
    if (this.#queue.sizeFor(job) === 0) this.#admission.emptied(wantedBy(job), this.balancer.servers, now);
    this.#durations.waiting.add(now - job.queuedAt);
    return job;
  }

  /** As many of those that wait as find room. */
  runQueued(): void {
    this.#queue.offer((job) => {
      const server = this.balancer.choose(job);
      if (server !== null) this.run(job, server);
      if (server !== null) return 'gone';
      // What keeps one of those that have asked for a server keeps all of them.
      return wantedBy(job) !== '' || !this.balancer.hasRoom ? 'all-wait' : 'waits';
    });
  }

  onAbort(job: Job, reason: unknown): void {
    // It must not be the next one when its slot comes free.
    this.#running.add(job);
    const isWaiting = !this.closing && job.body !== null;
    if (isWaiting) this.#admission.left(wantedBy(job), job, this.clock.now());
    job.server?.abort(job, reason);
    noteDelay(reason, job, refusedBy(this.balancer.servers, wantedBy(job)));
  }

  onComplete(job: Job, now: number): void {
    const { server, startedAt, exchange } = job;
    const took = now - (exchange?.startedAt ?? startedAt);
    const age = job.over ? -1 : now - job.queuedAt;
    this.#admission.served(wantedBy(job), now, took, age, exchange?.isAccepted);
    this.#durations.running.add(now - startedAt);
    this.answers.served(job.queuedAt);
    if (server === null) return;
    this.balancer.onServed(job);
    server.complete(job);
  }

  onFailure(job: Job, error: unknown): boolean {
    const { server } = job;
    if (server === null) return false;
    if (!this.balancer.onFailed(job, error) && server.resend(job, error)) return true;
    server.releaseSlot(job);
    if (error instanceof ConnectError && error.code === 'FCGI_ERR_CONNECT_TIMEOUT')
      this.#onUnreachable(error);
    const goesOn = this.balancer.failOver(job, error);
    if (!goesOn) this.#admission.failed(wantedBy(job), error, this.clock.now());
    return goesOn;
  }

  onAbandonedEnd(job: Job): void {
    job.server?.releaseSlot(job);
  }

  onSettled(job: Job): void {
    job.list?.remove(job);
    if (this.alive > 0 || !this.closing) return;
    for (const server of this.balancer.servers) server.close();
    for (const resolve of this.#onClosed.splice(0)) resolve();
  }

  /** In time: those whose body is still being read before it is sent, as its source gives no more. */
  #failUnread(): void {
    const { headersTimeout } = this.#settings;
    if (headersTimeout === 0) return;
    const cancel = this.clock.after(headersTimeout, () => {
      for (const job of this.#running.toArray())
        if (job.body === null) job.abort(sourceStuck(headersTimeout));
    });
    this.#onClosed.push(cancel);
  }

  #admit(job: Job, body: PlannedBody, monotonic: number): void {
    if (job.over) return;
    job.body = body;
    job.times.enter('queued', monotonic);
    const now = this.clock.at(monotonic);
    job.queuedAt = now;
    const wanted = wantedBy(job);
    const { servers, name } = this.balancer;
    this.#admission.arrived(wanted, now);
    const before = this.#queue.sizeFor(job);
    const server = before === 0 ? this.balancer.choose(job) : null;
    const all =
      server === null ? this.#queue.size - heldBackOf(servers, wanted, this.#settings.connections) : 0;
    const refused =
      server === null
        ? this.#admission.refusal(wanted, servers, { all, before }, name, now, refusedBy(servers, wanted))
        : this.#admission.tooLate(wanted, servers, name, now);
    if (refused !== null) this.clock.after(REFUSED_AFTER, () => job.fail(refused));
    else if (server !== null) {
      this.#admission.emptied(wanted, servers, now);
      this.run(job, server, now);
    } else {
      this.#queue.add(job);
      publishQueued(job, this.#queue.size);
    }
  }

  readonly #onBeat = (): void => {
    const now = this.clock.now();
    const { servers } = this.balancer;
    for (const server of servers) server.onTick(now);
    if (this.balancer.onTick(now)) this.#admission.heldBack(now);
    this.#expire(now);
    for (const { job, error } of this.#admission.stale(this.#queue.lines, this.balancer, now))
      this.#refuse(job, error);
    this.runQueued();
    this.#admission.onTick(servers, this.#queue.size);
    if (this.#durations.onTick(now)) {
      for (const { learned } of servers) learned.rotate();
      this.#admission.keep(servers);
    }
    const isIdle = this.alive === 0 && servers.every(({ connected }) => connected === 0);
    if (isIdle && (this.closing || !this.balancer.isChecking)) this.clock.stop();
  };

  /** Who has waited as long as the one that could not be connected need not try by itself; of several servers another may answer. */
  #onUnreachable(error: ConnectError): void {
    if (this.balancer.servers.length > 1) return;
    const { code, message, hint } = error;
    const since = this.clock.now() - this.#settings.connectTimeout;
    this.failQueued(since, () => new ConnectError(code, message, { cause: error, facts: { hint } }));
  }

  #expire(now: number): void {
    const { queueTimeout } = this.#settings;
    if (queueTimeout === 0) return;
    const { name, servers } = this.balancer;
    this.failQueued(now - queueTimeout, (job) =>
      waitedTooLong(queueTimeout, name, refusedBy(servers, wantedBy(job))),
    );
  }

  /** Those that were let in by then. `named`: those as well that have asked for a certain server. */
  failQueued(by: number, error: (job: Job) => FcgiError, named = true): void {
    const isDue = ({ queuedAt }: Job): boolean => queuedAt <= by;
    this.#queue.takeDue(isDue, (job) => this.#refuse(job, error(job)), named);
  }

  #refuse(job: Job, error: FcgiError): void {
    this.#running.add(job);
    job.fail(error);
  }
}
