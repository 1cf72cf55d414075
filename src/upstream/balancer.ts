/** The Balancer of an Upstream: who takes a request, who takes it next where it failed, and what is learned of both. */
import { soon } from '../connection/clock.ts';
import type { Runtime } from '../connection/runtime.ts';
import { ArgumentError, ConnectError, errorText, FcgiError, PoolError, SocketError } from '../errors.ts';
import type { Balancer } from '../pool/balancer.ts';
import type { DispatchRequest } from '../pool/dispatcher.ts';
import type { Job } from '../pool/job.ts';
import type { PoolSettings } from '../pool/options.ts';
import { mayRunTwice } from '../pool/retry/resend.ts';
import { RetryBudget } from '../pool/retry/retry.ts';
import type { Scheduler } from '../pool/scheduler.ts';
import { Server } from '../pool/server.ts';
import type { ServerCounts } from '../pool/stats/stats.ts';
import { subset as subsetOf } from './balance/subset.ts';
import { Checks } from './checks.ts';
import { DialTimer } from './dial-timer.ts';
import { Discovery } from './discovery/discovery.ts';
import { lookupBy } from './discovery/lookup.ts';
import type { DiscoveredServer, Source } from './discovery/source.ts';
import { failover } from './failover.ts';
import { type FailoverState, FailoverStates } from './failover-state.ts';
import { failureKind } from './health/failure.ts';
import { pauseAfter } from './health/refusals.ts';
import type { Member } from './member.ts';
import { Members } from './members.ts';
import { allDown, noneLeft, type Refusal, refusalOfAll, refusing } from './none-left.ts';
import { settingsOfEach, type UpstreamSettings } from './options.ts';
import { Selection } from './selection.ts';
import { type ServerStats, serverStats } from './stats.ts';

export class UpstreamBalancer implements Balancer {
  readonly #scheduler: Scheduler;
  readonly #settings: UpstreamSettings;
  readonly #pool: PoolSettings;
  readonly #runtime: Runtime;
  readonly #members: Members;
  readonly #selection: Selection;
  readonly #discovery: Discovery;
  readonly #checks: Checks;
  readonly #dialTimer: DialTimer;
  readonly #failovers: FailoverStates = new FailoverStates();
  readonly #budget: RetryBudget;
  #started = false;
  #runScheduled = false;
  /** Of all servers. */
  #answers = 0;

  constructor(
    scheduler: Scheduler,
    sources: readonly Source[],
    settings: UpstreamSettings,
    pool: PoolSettings,
    runtime: Runtime,
  ) {
    this.#scheduler = scheduler;
    this.#settings = settings;
    this.#pool = pool;
    this.#runtime = runtime;
    this.#budget = new RetryBudget(pool.connections * sources.length);
    const each = settingsOfEach(pool, settings.balance);
    this.#members = new Members(
      ({ target, unknown }) =>
        new Server(scheduler, target, each, unknown ? refusing(runtime, unknown) : runtime, false),
      settings.healthCheck !== null,
    );
    this.#selection = new Selection(
      this.#members,
      { ...settings, queueSize: pool.queueSize },
      runtime.random,
    );
    this.#checks = new Checks(settings.healthCheck, pool, runtime);
    this.#dialTimer = new DialTimer(this.#members, runtime.timers, () => {
      this.#refresh();
      scheduler.runQueued();
    });
    const lookup = lookupBy(settings.resolve, settings.nameservers);
    const { resolveInterval } = settings;
    this.#discovery = new Discovery(lookup, resolveInterval, pool.connectTimeout, runtime.timers, (found) =>
      this.#onFound(found),
    );
    this.#discovery.update(sources);
  }

  get name(): string {
    return this.#members.all.map(({ name }) => name).join(', ') || this.#discovery.name;
  }

  get servers(): readonly Server[] {
    return this.#members.servers;
  }

  get counts(): readonly ServerCounts[] {
    return this.#members.counts;
  }

  get stats(): ServerStats[] {
    this.#refresh();
    return [...this.#members.all, ...this.#members.leaving].map(serverStats);
  }

  get hasRoom(): boolean {
    return this.#selection.hasRoom;
  }

  update(sources: readonly Source[]): void {
    this.#discovery.update(sources);
    if (this.#started) this.#discovery.poll();
  }

  onStart(): void {
    this.#started = true;
    this.#discovery.poll();
  }

  hashKey(request: DispatchRequest): string {
    return this.#selection.hashKey(request);
  }

  choose(job: Job): Server | null {
    if (this.#pool.queueSize > 0 && this.#discovery.isOutdated) return null;
    const member = this.#selection.choose(job, this.#failovers.failedOn(job));
    // Later: whoever asks counts on a job that goes on.
    if (member === null && job.request.server === undefined && this.#isAllDown)
      soon(() => job.fail(allDown(this.#members.all)));
    if (member === null) {
      this.#dialTimer.set();
      this.#checks.onHeldBack(this.#members.all, () => this.#scheduler.runQueued());
      return null;
    }
    member.onGiven();
    if (member.refusals.latest !== null) member.refusals.tried(this.#now(), this.#runtime.random());
    return member.server;
  }

  accepts(server: Server, job: Job): boolean {
    const member = this.#members.of(server);
    return member !== undefined && this.#selection.accepts(member, job, this.#failovers.failedOn(job));
  }

  onServed(job: Job): void {
    const member = this.#members.of(job.server);
    if (member === undefined) return;
    const now = this.#now();
    this.#answers++;
    const { trusted } = member;
    member.onServed(job.times.givenAt, now);
    this.#budget.served();
    if (trusted) return;
    member.refresh(now);
    this.#selection.changed();
    // It takes more than the one that moves up into this slot.
    this.#runSoon();
  }

  onFailed(job: Job, error: unknown): boolean {
    const member = this.#members.of(job.server);
    if (member === undefined || job.over || job.aborted) return true;
    const { givenAt: startedAt } = job.times;
    const kind = failureKind(error);
    const now = this.#now();
    // Those that wait for its first answer would run beside it: a script that kills its worker must not count for more by that.
    const others = Math.min(member.load + this.#scheduler.queued, this.#pool.connections) - 1;
    const counts = member.health.failed({ kind, startedAt, others, message: errorText(error) }, now);
    if (kind === 'unreachable') this.#discovery.onUnreachable(member.origin);
    member.refusals.failed(error, kind, now, this.#scheduler.clock.now(), this.#runtime.random());
    member.refresh(now);
    this.#selection.changed();
    if (!(error instanceof FcgiError) || error instanceof ArgumentError || error instanceof PoolError)
      return true;
    const state = this.#failovers.begin(job, startedAt);
    const { retryTimeout } = this.#settings;
    const late = retryTimeout > 0 && this.#now() - state.since >= retryTimeout;
    state.target = failover({
      policy: job.request.retry ?? this.#pool.retry,
      executed: error.executed,
      idempotent: mayRunTwice(job),
      replayable: job.replayable,
      notConnected: error instanceof ConnectError,
      reused: error.reused,
      kind,
      counts,
      usable: this.#members.all.includes(member) && member.state !== 'failed',
      othersLeft: this.#members.all.some(
        (other) =>
          job.request.server === undefined && other !== member && !state.failedOn.has(other) && other.isAsked,
      ),
      triesLeft: this.#pool.tries - 1 - job.freshFailures - state.moves,
      budgetSpent: late || this.#budget.spent,
    });
    return state.target !== 'here';
  }

  failOver(job: Job, error: unknown): boolean {
    const from = this.#members.of(job.server);
    const state = this.#failovers.get(job);
    if (from === undefined || state === undefined || state.target !== 'elsewhere') return false;
    if (job.request.server !== undefined) return false;
    if (job.over || job.aborted || !(error instanceof FcgiError)) return false;
    state.failedOn.add(from);
    if (error instanceof ConnectError) return this.#retryConnect(job, from, state, error);
    state.moves++;
    from.server.retried++;
    if (error.executed !== 'no') {
      job.mayHaveRun = true;
      this.#budget.spend();
    }
    this.#scheduler.requeue(job);
    return true;
  }

  get isChecking(): boolean {
    return this.#checks.isRunning(this.#members.all);
  }

  onTick(clockNow: number): boolean {
    const now = this.#now();
    this.#discovery.poll();
    this.#members.forgetDrained();
    this.#refresh();
    const { all } = this.#members;
    let most = 1;
    let weights = 0;
    for (const { server, settings } of all) {
      most = Math.max(most, server.workers / settings.weight);
      weights += settings.weight;
    }
    for (const member of all) {
      const { weight } = member.settings;
      const others = Math.max(1, weights - weight);
      member.measure(most, now);
      member.watch(((this.#answers - member.answers) * weight) / others, clockNow);
    }
    this.#selection.changed();
    const isQueued = this.#scheduler.queued > 0;
    const refusal = isQueued ? refusalOfAll(all) : null;
    if (refusal !== null) this.#failRefused(refusal, clockNow);
    this.#checks.onTick(all, isQueued, now);
    return refusal !== null || (isQueued && (this.#discovery.isOutdated || this.#selection.holdsBack));
  }

  get #isAllDown(): boolean {
    return this.#discovery.isOver && this.#members.all.every(({ settings }) => settings.down);
  }

  #retryConnect(job: Job, from: Member, state: FailoverState, error: ConnectError): boolean {
    const { all } = this.#members;
    // Time in which it waited for a worker, behind a proxy, is none in which it was refused.
    state.refusedSince ??= error.cause instanceof SocketError ? this.#now() : state.since;
    if (all.some((member) => !member.settings.down && !state.failedOn.has(member))) {
      from.server.retried++;
      this.#scheduler.requeue(job);
      return true;
    }
    const pause = pauseAfter(state.rounds);
    if (this.#now() - state.refusedSince + 2 * pause >= this.#pool.connectTimeout) {
      job.fail(noneLeft(all, error));
      return true;
    }
    state.rounds++;
    state.failedOn.clear();
    this.#scheduler.clock.after(pause * (0.5 + this.#runtime.random()), () => {
      if (!job.over) this.#scheduler.requeue(job);
    });
    return true;
  }

  /** Those who have waited for as long as all servers have had to let somebody in. */
  #failRefused({ latest, since }: Refusal, clockNow: number): void {
    const by = clockNow - this.#pool.connectTimeout;
    if (since <= by) this.#scheduler.failQueued(by, () => noneLeft(this.#members.all, latest), false);
  }

  #onFound(found: readonly DiscoveredServer[]): void {
    const { subset } = this.#settings;
    this.#members.update(subset === null ? found : subsetOf(found, subset));
    this.#selection.changed();
    this.#refresh();
    this.#runSoon();
  }

  /** Not at once: whoever tells us is in the middle of something. */
  #runSoon(): void {
    if (this.#runScheduled) return;
    this.#runScheduled = true;
    soon(() => {
      this.#runScheduled = false;
      this.#scheduler.runQueued();
    });
  }

  #refresh(): void {
    const now = this.#now();
    for (const member of this.#members.all) if (member.refresh(now)) this.#selection.changed();
  }

  /** By the machine's clock: a server gets well while nobody asks for anything, too. */
  #now(): number {
    return this.#runtime.timers.now();
  }
}
