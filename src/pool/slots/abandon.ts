/**
 * A script whose caller has left runs on, whatever we do: its connection is kept for as long as such a script usually takes,
 * and used again if it ends in time. To dial anew would be to wait behind it.
 */
import type { Job } from '../job.ts';
import type { Learned } from '../learned/learned.ts';
import { noteAbandoned } from '../request/request-snapshot.ts';
import type { Slot } from './slot.ts';

/** The server that runs the job. */
interface RunningServer {
  readonly learned: Pick<Learned, 'acceptCheck' | 'ended' | 'budget'>;
  readonly clock: { now(): number };
  readonly closing: boolean;
}

/** The caller wants no more of the job. */
export function abort(job: Job, reason: unknown, { learned, clock, closing }: RunningServer): void {
  job.dialling?.abort(reason);
  const { connection, exchange } = job;
  if (connection === null || exchange === null) return;
  if (!connection.proven) learned.acceptCheck.onLeft();
  if (closing || job.request.closeOnAbort || !connection.isAwaiting(exchange)) {
    connection.fail(reason, closing ? 'pool-closed' : 'aborted');
    return;
  }
  learned.ended(exchange);
  noteAbandoned(reason, exchange, connection.requests, connection.writer.sent);
  job.abandoned = { until: clock.now() + learned.budget(exchange.script), reason };
  connection.resume();
}

/** Called every few ms. */
export function endAbandoned({ connection, job }: Slot, now: number): void {
  if (job === null || job.abandoned === null || now < job.abandoned.until) return;
  connection?.fail(job.abandoned.reason, 'aborted');
}
