/** One server of an Upstream: its pool's server, its options, and what is known of it. */
import { publishState } from '../pool/channels.ts';
import type { Server } from '../pool/server.ts';
import { type Candidate, capacityOf } from './balance/balance.ts';
import type { DiscoveredServer } from './discovery/source.ts';
import { Health, type HealthState } from './health/health.ts';
import { type HealthFacts, isSilent, isTrusted, quota, quotaWithoutTrusted } from './health/quota.ts';
import { Refusals } from './health/refusals.ts';
import { type Progress, Silence } from './health/silence.ts';
import type { Ranked } from './health/tier.ts';
import type { ServerSettings } from './options.ts';

/** ms: so long a server that was seen to be full is taken to be. */
const FULL_FOR = 1000;
/** ms: so long a server is known to be there behind an answer: the callers of a burst ask again when they are told of theirs. */
const JUST_ANSWERED = 25;
/** The smallest part of its weight that a server gets that is eased in. */
const FIRST_SHARE = 0.1;

/** `health.state`, and what else keeps requests from a server. */
export type ShownState = HealthState | 'suspect' | 'down' | 'leaving';

export class Member implements Candidate, Ranked {
  readonly server: Server;
  readonly name: string;
  /** It stands for a name that could not be looked up. */
  readonly isUnknown: boolean;
  health: Health;
  readonly silence: Silence = new Silence();
  readonly refusals: Refusals = new Refusals();
  /** As the caller gave it; a name that was looked up, or the same as `name`. */
  origin: string;
  settings: ServerSettings;
  /** It has answered a request, ever. */
  known = false;
  /** It has answered one, or has said that it is there, since it last had nothing to do. */
  answering = false;
  /** It was taken out of the list, and ends what it has. */
  leaving = false;
  /** Answers so far. */
  answers = 0;
  /** By the pool's clock, ms: the latest. */
  answeredAt: number = Number.NEGATIVE_INFINITY;
  state: HealthState = 'up';
  weight: number;
  capacity = 1;
  current = 0;
  #overtaken = 0;
  #fullUntil = Number.NEGATIVE_INFINITY;
  #lasting = 0;
  #signs = 0;
  #isThere = false;
  /** The state that was published last. */
  #publishedState: ShownState;

  readonly #isChecked: boolean;

  /** `isChecked`: by `healthCheck`. */
  constructor(server: Server, { origin, settings, unknown }: DiscoveredServer, isChecked: boolean) {
    this.server = server;
    this.isUnknown = unknown !== undefined;
    this.#isChecked = isChecked;
    this.name = server.target.name;
    this.origin = origin;
    this.settings = settings;
    this.weight = settings.weight;
    this.health = new Health(settings.maxFails, settings.failTimeout);
    this.#publishedState = this.shownState;
  }

  /** What is known of it stays. */
  configure(origin: string, settings: ServerSettings): void {
    const { maxFails, failTimeout } = settings;
    if (maxFails !== this.settings.maxFails || failTimeout !== this.settings.failTimeout)
      this.health = new Health(maxFails, failTimeout);
    this.origin = origin;
    this.settings = settings;
    this.weight = settings.weight;
    this.#publishState();
  }

  leave(): void {
    this.leaving = true;
    this.#publishState();
  }

  /** As `stats.servers` has it. */
  get shownState(): ShownState {
    if (this.leaving) return 'leaving';
    if (this.settings.down) return 'down';
    return this.state === 'up' && this.silence.suspect ? 'suspect' : this.state;
  }

  get backup(): boolean {
    return this.settings.backup;
  }

  get isAsked(): boolean {
    return !this.settings.down && this.state !== 'failed';
  }

  get until(): number {
    return this.health.until;
  }

  get load(): number {
    return this.server.busy;
  }

  get trusted(): boolean {
    return isTrusted(this.healthFacts);
  }

  get isSilent(): boolean {
    return isSilent(this.healthFacts);
  }

  /** Who cannot be asked whether it is there is taken for what it was. */
  get proven(): boolean {
    return this.known && (this.answering || this.server.learned.backend.isPhpFpm !== true);
  }

  get healthFacts(): HealthFacts {
    const { state, known, proven, silence } = this;
    const { learned, settings } = this.server;
    return {
      state,
      known,
      proven,
      suspect: silence.suspect,
      silence: this.#lasting,
      signs: learned.backend.isPhpFpm === false ? null : this.#signs,
      isThere: this.#isThere,
      headersTimeout: settings.headersTimeout,
    };
  }

  /** One more may be given to it, where `load` are on it: its own limits, and what it has shown so far. */
  takes(load: number, limit: 'usual' | 'in-need' | 'none'): boolean {
    const { maxConns } = this.settings;
    // What has just come free has a connection, perhaps.
    if (load === this.load && !this.server.hasRoom) return false;
    if (load >= this.server.settings.connections || (maxConns > 0 && load >= maxConns)) return false;
    if (this.state === 'up' && !this.silence.suspect && this.proven) return true;
    if (limit === 'none') return true;
    return load < (limit === 'usual' ? quota(this.healthFacts) : quotaWithoutTrusted(this.healthFacts));
  }

  /** It is given a request. */
  onGiven(): void {
    if (this.load > 0 || this.server.clock.now() - this.answeredAt < JUST_ANSWERED) return;
    this.answering = false;
    this.#isThere = false;
  }

  /** A request has been answered there. */
  onAnswer(): void {
    this.refusals.reached();
    this.known = true;
    this.answering = true;
  }

  /** One that was given to it at `givenAt`; `now` by the machine's clock. */
  onServed(givenAt: number, now: number): void {
    this.answers++;
    this.answeredAt = this.server.clock.now();
    this.onAnswer();
    this.silence.suspect = false;
    this.health.answered(givenAt, now);
  }

  /** `now` by the machine's clock: what waits for time to pass. True: its state is another. */
  refresh(now: number): boolean {
    const { settings, health, state } = this;
    // Where a check of ours finds out whether it is back, no client's request is risked for that.
    this.state = health.state(now, this.#isChecked || this.server.learned.backend.answersGetValues);
    const back = settings.slowStart === 0 ? 1 : (now - health.recoveredAt) / settings.slowStart;
    this.weight = settings.weight * Math.min(1, Math.max(FIRST_SHARE, back));
    const overtaken = this.server.learned.workers.oneMoreOvertaken;
    if (overtaken !== this.#overtaken) this.#fullUntil = now + FULL_FOR;
    this.#overtaken = overtaken;
    this.#publishState();
    return this.refusals.refresh(now) || state !== this.state;
  }

  /** `most`: the most workers that a server was found to have, for a weight of 1. */
  measure(most: number, now: number): void {
    this.capacity = capacityOf(this.server.workers, now < this.#fullUntil, this.settings.weight, most);
  }

  /** `due` as for Silence; `now` by the pool's clock. */
  watch(due: number, now: number): void {
    const progress = progressOf(this.server);
    if (progress.answeredAt > this.answeredAt) {
      this.answeredAt = progress.answeredAt;
      this.onAnswer();
    }
    const { since } = this.silence;
    this.silence.onTick(progress, this.answeredAt, due, now);
    if (this.silence.since !== since) {
      this.#signs = 0;
      this.#isThere = false;
    }
    this.#lasting = this.silence.duration(now);
  }

  /** It has requests, has room, and gets no more before it has answered one or has said that it is there. */
  get isHeldBack(): boolean {
    return this.state === 'up' && this.known && !this.proven && this.load >= 2;
  }

  /** It was held back, and has answered FCGI_GET_VALUES. */
  onThere(): void {
    this.answering = true;
  }

  /** It has answered FCGI_GET_VALUES. `isOnlyOne`: no other server has answered a request yet. */
  onAlive(isOnlyOne: boolean): void {
    if (isOnlyOne) this.#isThere = true;
    else this.#signs++;
  }

  #publishState(): void {
    const { shownState } = this;
    const told = this.#publishedState;
    if (shownState === told) return;
    // Set before the event is published: a subscriber may read `stats`, which leads here again.
    this.#publishedState = shownState;
    publishState(this.server.target, shownState, told, this.health.why);
  }
}

function progressOf(server: Server): Progress {
  let unanswered = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let answeredAt = Number.NEGATIVE_INFINITY;
  for (const { job } of server.open) {
    if (job === null) continue;
    const { exchange } = job;
    if (exchange?.headDone) {
      answeredAt = Math.max(answeredAt, exchange.firstByteAt);
    } else {
      unanswered++;
      oldest = Math.min(oldest, job.startedAt);
    }
  }
  return { unanswered, oldest, answeredAt };
}
