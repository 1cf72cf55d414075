/** What is asked of servers that leave requests unanswered, or were left alone for that, so that no client's request has to find out. */
import type { Runtime } from '../connection/runtime.ts';
import type { PoolSettings } from '../pool/options.ts';
import { check } from './health/check.ts';
import { isToBeAsked } from './health/quota.ts';
import type { Member } from './member.ts';
import type { CheckSettings } from './options.ts';

/** ms between two questions to a server that should be back. */
const ASK_EVERY = 1000;

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

  /** Although nobody asks for anything: who looks at a server's state, or comes next, must find it as it is. */
  goOn(members: readonly Member[]): boolean {
    return this.#settings !== null && members.some(({ state }) => state === 'failed');
  }

  /** `now`: by the machine's clock. */
  onBeat(members: readonly Member[], isQueued: boolean, now: number): void {
    // By an answer to a request: that another has only said that it is there tells nothing of how long scripts take.
    const isOneTrusted = members.some(
      ({ trusted, answeredAt }) => trusted && answeredAt > Number.NEGATIVE_INFINITY,
    );
    for (const member of members) {
      if (member.state === 'failed') this.#checkFailed(member, now);
      else if (isQueued && isToBeAsked(member.known, isOneTrusted))
        this.#askSilent(member, !isOneTrusted, now);
    }
  }

  /** Is it back? By `healthCheck`; without it, once its time is over, by a question that php-fpm answers. */
  #checkFailed(member: Member, now: number): void {
    const { server, health } = member;
    const interval = this.#settings?.interval ?? ASK_EVERY;
    if (this.#settings === null && now < health.until) return;
    if (now - (this.#checkedAt.get(member) ?? Number.NEGATIVE_INFINITY) < interval) return;
    const checking =
      this.#settings === null
        ? server.backendCheck.isAlive()
        : check(server.target, this.#settings, this.#pool, this.#runtime);
    this.#await(member, checking, () => health.hasShown(this.#runtime.timers.now()));
  }

  /** Its scripts may just be slow: php-fpm says all the same that it is there, where one that hangs does not. */
  #askSilent(member: Member, isOnlyOne: boolean, now: number): void {
    if (now < (this.#checkedAt.get(member) ?? 0)) return;
    const { since } = member.silence;
    this.#await(member, member.server.backendCheck.isAlive(), () => {
      // What waits gets it with the next beat: by then others have said so, too, and share it.
      if (member.silence.since === since) member.hasSaid(isOnlyOne);
    });
  }

  #await(member: Member, checking: Promise<boolean>, onWell: () => void): void {
    this.#checkedAt.set(member, Number.POSITIVE_INFINITY);
    void checking.then((isWell) => {
      this.#checkedAt.set(member, this.#runtime.timers.now());
      if (isWell) onWell();
    });
  }
}
