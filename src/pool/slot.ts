/** A slot in the pool: empty, dialling, or with one connection. It is what generic-pool holds. */
import type { Connection } from '../connection/connection.ts';
import type { Exchange } from '../connection/exchange.ts';
import type { PooledSlot } from './slots.ts';

/** What a slot knows of the job on it. */
export interface SlotJob {
  readonly exchange: Exchange | null;
  /** Its caller has left while its script ran: the connection is kept until then, in case it ends in time. */
  readonly abandoned: { readonly until: number; readonly reason: unknown } | null;
}

export class Slot implements PooledSlot {
  connection: Connection | null = null;
  /** On it, or being dialled for. Still here while an abandoned script runs. */
  job: SlotJob | null = null;
  /** It has had a connection. */
  used = false;

  get idle(): boolean {
    return this.job === null && this.connection !== null;
  }

  get spent(): boolean {
    return this.used && this.connection === null;
  }
}
