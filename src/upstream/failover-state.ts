/** Which servers a request has failed on, of those requests that one server at least has failed. */
import type { Job } from '../pool/job.ts';
import type { Where } from './failover.ts';
import type { Member } from './member.ts';

export interface Visit {
  /** By the machine's clock, ms: when it was given to the first server that failed it. */
  readonly since: number;
  readonly members: Set<Member>;
  /** How often it was sent to another server although a connection had come about. */
  moves: number;
  /** How often all servers have refused it. */
  rounds: number;
  where: Where;
}

const NONE: ReadonlySet<Member> = new Set();

export class Visits {
  readonly #of: WeakMap<Job, Visit> = new WeakMap();

  /** It is asked for each request: most have none. */
  members(job: Job): ReadonlySet<Member> {
    return job.attempts === 0 ? NONE : (this.#of.get(job)?.members ?? NONE);
  }

  get(job: Job): Visit | undefined {
    return this.#of.get(job);
  }

  begin(job: Job, since: number): Visit {
    const visit = this.#of.get(job) ?? { since, members: new Set(), moves: 0, rounds: 0, where: 'nowhere' };
    this.#of.set(job, visit);
    return visit;
  }
}
