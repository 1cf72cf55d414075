/** One server of an Upstream: a pool, its weight and its health. */
import type { Clock } from '../connection/clock.ts';
import type { CloseReason } from '../connection/reuse.ts';
import { ArgumentError } from '../errors.ts';
import type { AbortListeners } from '../pool/abort-listeners.ts';
import type { PoolCore } from '../pool/core.ts';
import type { Job, JobOwner } from '../pool/job.ts';
import { checkOption, count, flag, type OptionRule } from '../pool/options.ts';
import { type Candidate, countsAsFailure, Health } from './health.ts';

/** nginx's parameters of those names. */
export interface ServerOptions {
  /** Its share of the requests. Default 1. */
  readonly weight?: number | undefined;
  /** Asked only where the others cannot be. Default false. */
  readonly backup?: boolean | undefined;
  /** Failures within `failTimeout` after which it is left alone for that time. Default 1; 0: never. */
  readonly maxFails?: number | undefined;
  /** ms. Default 10,000. */
  readonly failTimeout?: number | undefined;
}

const serverRules: {
  readonly weight: OptionRule<number>;
  readonly backup: OptionRule<boolean>;
  readonly maxFails: OptionRule<number>;
  readonly failTimeout: OptionRule<number>;
} = {
  weight: count(1, 1),
  backup: flag,
  maxFails: count(1, 0),
  failTimeout: { ...count(10_000, 0), unit: 'ms' },
};

export class Server implements Candidate, JobOwner {
  readonly core: PoolCore;
  readonly weight: number;
  readonly backup: boolean;
  readonly health: Health;
  current = 0;
  /** True: the job goes on elsewhere. */
  readonly #moveOn: (job: Job, from: Server, error: unknown) => boolean;

  constructor(
    core: PoolCore,
    options: ServerOptions,
    moveOn: (job: Job, from: Server, error: unknown) => boolean,
  ) {
    for (const [name, value] of Object.entries(options)) {
      if (!Object.hasOwn(serverRules, name)) {
        throw new ArgumentError(
          'FCGI_ERR_INVALID_ARG',
          name,
          `a server has no option ${JSON.stringify(name)}`,
        );
      }
      checkOption(name, value, serverRules[name as keyof ServerOptions]);
    }
    this.core = core;
    this.weight = options.weight ?? serverRules.weight.default;
    this.backup = options.backup ?? serverRules.backup.default;
    this.health = new Health(
      options.maxFails ?? serverRules.maxFails.default,
      options.failTimeout ?? serverRules.failTimeout.default,
    );
    this.#moveOn = moveOn;
  }

  get server(): string {
    return this.core.server;
  }

  get clock(): Clock {
    return this.core.clock;
  }

  get signals(): AbortListeners {
    return this.core.signals;
  }

  get load(): number {
    return this.core.alive;
  }

  /** Takes over a job that `from` could not serve. */
  adopt(job: Job, from: Server): void {
    from.core.leave(job);
    job.owner = this;
    this.core.accept(job);
  }

  onAbort(job: Job, reason: unknown): void {
    this.core.onAbort(job, reason);
  }

  onComplete(job: Job, verdict: 'keep' | CloseReason): void {
    this.health.served();
    this.core.onComplete(job, verdict);
  }

  onFailure(job: Job, error: unknown): boolean {
    if (this.core.onFailure(job, error)) return true;
    if (countsAsFailure(error)) this.health.failed(performance.now());
    return this.#moveOn(job, this, error);
  }

  onOver(job: Job): void {
    this.core.leave(job);
  }
}
