/** What failover needs to know of a request that has failed on at least one server: which ones, how often, since when. */
import type { Job } from '../pool/job.ts';
import type { FailoverTarget } from './failover.ts';
import type { Member } from './member.ts';

export interface FailoverState {
  /** By the machine's clock, ms: when it was given to the first server that failed it. */
  readonly since: number;
  /** By the machine's clock, ms: from then on all of them had connectTimeout to take it. null: none has refused it. */
  refusedSince: number | null;
  readonly failedOn: Set<Member>;
  /** How often it was sent to another server although a connection had come about. */
  moves: number;
  /** How often all servers have refused it. */
  rounds: number;
  target: FailoverTarget;
}

const NONE: ReadonlySet<Member> = new Set();

export class FailoverStates {
  readonly #of: WeakMap<Job, FailoverState> = new WeakMap();

  /** Called for each request: most have not failed, and cost no look-up. */
  failedOn(job: Job): ReadonlySet<Member> {
    return job.attempts === 0 ? NONE : (this.#of.get(job)?.failedOn ?? NONE);
  }

  get(job: Job): FailoverState | undefined {
    return this.#of.get(job);
  }

  begin(job: Job, since: number): FailoverState {
    const state = this.#of.get(job) ?? {
      since,
      refusedSince: null,
      failedOn: new Set(),
      moves: 0,
      rounds: 0,
      target: 'nowhere',
    };
    this.#of.set(job, state);
    return state;
  }
}
