/** Which server gets a job: of one (Pool), or of several (Upstream). */
import type { DispatchRequest } from './dispatcher.ts';
import type { Job } from './job.ts';
import type { Server } from './server.ts';
import type { ServerCounts } from './stats/stats.ts';

/** The servers, and which of them gets a job. */
export interface Balancer {
  /** For messages. */
  readonly name: string;
  /** Those that are used, and those that were and have connections still. */
  readonly servers: readonly Server[];
  /** Of all servers that there have been. */
  readonly counts: readonly ServerCounts[];
  /** Some server may take one more. */
  readonly hasRoom: boolean;
  /** Called with a request that comes while nothing else is to do: the first one, or the first one of the morning. */
  onStart(): void;
  /** What the request's server hangs on; '' stands for any. Throws what the caller's own function throws. */
  hashKey(request: DispatchRequest): string;
  /** A server that has room for the job; null: it waits. */
  choose(job: Job): Server | null;
  /** A slot of the server has come free: may this job, which waits, have it? */
  accepts(server: Server, job: Job): boolean;
  onServed(job: Job): void;
  /**
   * `job` has failed on its server, which may send it again, out of sight of its caller. True: it must not, as another
   * server is better, or as the job is not to be sent again.
   */
  onFailed(job: Job, error: unknown): boolean;
  /** It was not sent again there. True: it goes on elsewhere, by `run` or `requeue`; its slot is free by then. */
  failOver(job: Job, error: unknown): boolean;
  /** Every 25 ms, while there is a request or a connection, and while it checks a server. True: a queue is no overload now. */
  onTick(now: number): boolean;
  readonly isChecking: boolean;
}
