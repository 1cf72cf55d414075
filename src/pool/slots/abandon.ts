/**
 * A script whose caller has left runs on, whatever we do: its connection is kept for as long as such a script usually takes,
 * and used again if it ends in time. To dial anew would be to wait behind it.
 */
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { Job } from '../job.ts';
import type { Learned } from '../learned/learned.ts';
import { noteAbandoned } from '../request/request-snapshot.ts';
import type { Slot } from './slot.ts';

/** `now`: by the pool's clock, ms. */
export function abandon(
  job: Job,
  { connection, exchange }: { readonly connection: Connection; readonly exchange: Exchange },
  reason: unknown,
  learned: Learned,
  now: number,
): void {
  learned.ended(exchange);
  noteAbandoned(reason, exchange, connection.requests, connection.writer.sent);
  job.abandoned = { until: now + learned.budget(exchange.script), reason };
  connection.resume();
}

/** Called every few ms. */
export function endAbandoned({ connection, job }: Slot, now: number): void {
  if (job === null || job.abandoned === null || now < job.abandoned.until) return;
  connection?.fail(job.abandoned.reason, 'aborted');
}
