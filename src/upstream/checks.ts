/** Checks servers that do not answer, or have failed, with requests of our own: else a client's request would have to find out. */
import type { Runtime } from '../connection/runtime.ts';
import type { PoolSettings } from '../pool/options.ts';
import { check } from './health/check.ts';
import { isQueryDue, isTakenForWell } from './health/quota.ts';
import type { Member } from './member.ts';
import type { CheckSettings } from './options.ts';

/** ms between two FCGI_GET_VALUES to a server that should be back. */
const QUERY_INTERVAL = 1000;

export class Checks {
  readonly #settings: CheckSettings | null;
  readonly #pool: PoolSettings;
  readonly #runtime: Runtime;
  /** By the machine's clock, ms: when a server's last check was over; Infinity: it goes on. */
  readonly #checkedAt: WeakMap<Member, number> = new WeakMap();

  /** `settings`: of `healthCheck`. */
  constructor(settings: CheckSettings | null, pool: PoolSettings, runtime: Runtime) {
    this.#settings = settings;
    this.#pool = pool;
    this.#runtime = runtime;
  }

  /** Keeps the ticks going although there is no request: else the next one, or `stats`, would find an old state. */
  isRunning(members: readonly Member[]): boolean {
    return this.#settings !== null && members.some(({ state }) => state === 'failed');
  }

  /** `now`: by the machine's clock. */
  onTick(members: readonly Member[], isQueued: boolean, now: number): void {
    // It must have answered a request: an answer to FCGI_GET_VALUES tells nothing of how long scripts take.
    const isOneTrusted = members.some(
      ({ trusted, answeredAt }) => trusted && answeredAt > Number.NEGATIVE_INFINITY,
    );
    for (const member of members) {
      if (!isOneTrusted && isTakenForWell(member.healthFacts)) member.onAnswer();
      if (member.state === 'failed') this.#checkFailed(member, now);
      else if (isQueued && member.isHeldBack) this.onHeldBack([member], () => {});
      else if (isQueued && isQueryDue(member.healthFacts, isOneTrusted))
        this.#querySilent(member, !isOneTrusted, now);
    }
  }

  /** Is it back? By `healthCheck`; without it, once its time is over, by FCGI_GET_VALUES, which php-fpm answers. */
  #checkFailed(member: Member, now: number): void {
    const { server, health } = member;
    const interval = this.#settings?.interval ?? QUERY_INTERVAL;
    if (this.#settings === null && now < health.until) return;
    if (now - (this.#checkedAt.get(member) ?? Number.NEGATIVE_INFINITY) < interval) return;
    const checking =
      this.#settings === null
        ? server.backendCheck.isAlive()
        : check(server.target, this.#settings, this.#pool, this.#runtime);
    void this.#run(member, checking, () => health.hasShown(this.#runtime.timers.now()));
  }

  /**
   * Requests wait although servers that have answered before have room, as these have shown nothing since they last had nothing to do.
   * `onAllWell`: all of them are there. Where one says nothing, the next tick gives the requests to the others.
   */
  onHeldBack(members: readonly Member[], onAllWell: () => void): void {
    const asked = members.filter(
      (one) => one.isHeldBack && this.#checkedAt.get(one) !== Number.POSITIVE_INFINITY,
    );
    if (asked.length === 0) return;
    const checks = asked.map((member) => this.#queryQuiet(member));
    void Promise.all(checks).then((areWell) => {
      if (areWell.every(Boolean)) onAllWell();
    });
  }

  #queryQuiet(member: Member): Promise<boolean> {
    return this.#run(member, member.server.backendCheck.isAlive(), () => member.onThere());
  }

  /** A php-fpm whose scripts are slow answers FCGI_GET_VALUES with a free worker; a host that hangs does not. */
  #querySilent(member: Member, isOnlyOne: boolean, now: number): void {
    if (now < (this.#checkedAt.get(member) ?? 0)) return;
    const { since } = member.silence;
    void this.#run(member, member.server.backendCheck.isAlive(), () => {
      // Waiting requests are given out with the next tick: by then other servers have answered, too, and share them.
      if (member.silence.since === since) member.onAlive(isOnlyOne);
    });
  }

  async #run(member: Member, checking: Promise<boolean>, onWell: () => void): Promise<boolean> {
    this.#checkedAt.set(member, Number.POSITIVE_INFINITY);
    const isWell = await checking;
    this.#checkedAt.set(member, this.#runtime.timers.now());
    if (isWell) onWell();
    return isWell;
  }
}
