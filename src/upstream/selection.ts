/** Which server takes a request now: of those that are asked at all, one with room, by the balance that was chosen. */
import { inspect } from 'node:util';
import { soon } from '../connection/clock.ts';
import { ArgumentError } from '../errors.ts';
import type { DispatchRequest } from '../pool/dispatcher.ts';
import type { Job } from '../pool/job.ts';
import type { PoolSettings } from '../pool/options.ts';
import { noSuchServer } from '../pool/request/validate.ts';
import { leastConn, randomTwo, roundRobin } from './balance/balance.ts';
import { byHash } from './balance/hash.ts';
import { liftsLimit } from './health/quota.ts';
import { tier } from './health/tier.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { UpstreamSettings } from './options.ts';

type SelectionSettings = Pick<UpstreamSettings, 'balance' | 'hashKey'> & Pick<PoolSettings, 'queueSize'>;

export class Selection {
  readonly #members: Members;
  readonly #settings: SelectionSettings;
  readonly #random: () => number;
  /** For requests that no server has failed yet; null: it must be found anew. */
  #tier: readonly Member[] | null = null;

  constructor(members: Members, settings: SelectionSettings, random: () => number) {
    this.#members = members;
    this.#settings = settings;
    this.#random = random;
  }

  /** The state of a server has changed, or the list has. */
  changed(): void {
    this.#tier = null;
  }

  get hasRoom(): boolean {
    const asked = this.#candidates(null);
    const limit = this.#limit(asked);
    return asked.some((member) => isOpen(member, true) && member.takes(member.load, limit));
  }

  /** Who waits, waits for a first answer, although there is room. */
  get holdsBack(): boolean {
    const asked = this.#candidates(null);
    return asked.every(({ state, proven }) => state === 'up' && !proven) && this.#limit(asked) === 'in-need';
  }

  /** `failedOn`: servers that are not asked again. */
  choose(job: Job, failedOn: ReadonlySet<Member>): Member | null {
    if (job.request.server !== undefined) return this.#named(job, job.request.server);
    const asked = this.#candidates(failedOn);
    const mayWait = this.#settings.queueSize > 0 || job.attempts > 0;
    // The others were taken out meanwhile: round again.
    if (asked.length === 0 && failedOn.size > 0) return this.choose(job, new Set());
    let open = asked.filter((one) => isOpen(one, mayWait) && one.takes(one.load, 'usual'));
    if (open.length === 0) {
      const limit = this.#limit(asked);
      open = asked.filter((one) => isOpen(one, mayWait) && one.takes(one.load, limit));
    }
    return open.length > 1 ? this.#balanced(open, job) : (open[0] ?? null);
  }

  /** Asked once for each request: a server that fails it is followed by the next one for the same key. */
  hashKey(request: DispatchRequest): string {
    const { balance, hashKey } = this.#settings;
    if (balance !== 'hash') return '';
    const key: unknown = hashKey(request);
    if (typeof key === 'string') return key;
    const message = `hashKey must return a string, not ${inspect(key)}`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'hashKey', message);
  }

  /** May it take one more, in place of one that it has just done? */
  accepts(member: Member, job: Job, failedOn: ReadonlySet<Member>): boolean {
    const { server } = job.request;
    // The slot that has come free is counted still.
    if (server !== undefined) return member.name === server && member.takes(member.load - 1, 'none');
    const asked = this.#candidates(failedOn);
    if (!isOpen(member, true) || !asked.includes(member)) return false;
    return member.takes(member.load - 1, this.#limit(asked));
  }

  /** Where `usual` leaves nobody. */
  #limit(asked: readonly Member[]): 'in-need' | 'none' {
    // Who may not wait must be sent.
    if (this.#settings.queueSize === 0) return 'none';
    const hasBackups = this.#members.all.some(
      (member) => member.backup && member.state === 'up' && !member.settings.down && !asked.includes(member),
    );
    return liftsLimit(
      asked.map(({ healthFacts }) => healthFacts),
      hasBackups,
    )
      ? 'none'
      : 'in-need';
  }

  /** The one that was asked for, whatever is known of it. */
  #named(job: Job, server: string): Member | null {
    const named = this.#members.all.filter(({ name }) => name === server);
    if (named.length === 0) soon(() => job.fail(noSuchServer(server)));
    return named.find((member) => member.takes(member.load, 'none')) ?? null;
  }

  #balanced(open: readonly Member[], { snapshot: { hashKey } }: Job): Member | null {
    switch (this.#settings.balance) {
      case 'round-robin':
        return roundRobin(open);
      case 'random-two':
        return randomTwo(open, this.#random);
      case 'hash':
        return hashKey === '' ? leastConn(open) : byHash(open, hashKey);
      default:
        return leastConn(open);
    }
  }

  /** Those that are asked at all, with room or without. */
  #candidates(failedOn: ReadonlySet<Member> | null): readonly Member[] {
    const { all } = this.#members;
    if (failedOn === null || failedOn.size === 0) {
      this.#tier ??= tier(all.filter(({ settings }) => !settings.down));
      return this.#tier;
    }
    return tier(all.filter((member) => !member.settings.down && !failedOn.has(member)));
  }
}

/** It is not one that has just refused, or the request has no time to wait. */
function isOpen({ refusals }: Member, mayWait: boolean): boolean {
  return !mayWait || !refusals.isPausing;
}
