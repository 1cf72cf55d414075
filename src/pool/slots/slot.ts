/**
 * A slot in the pool: empty, dialling, or with one connection. It is what generic-pool holds.
 * This folder: places for connections, how they are dialled, and what is asked of a server before its answers are
 * trusted. It imports what its parent may.
 */
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { Target } from '../../connection/socket/address.ts';
import { publishClosed } from '../channels.ts';
import type { PooledSlot } from './slots.ts';

/** What a slot knows of the job on it. */
export interface SlotJob {
  /** null: it is being dialled for. */
  readonly exchange: Exchange | null;
  /** ms, by the pool's clock: when it was given the slot. */
  readonly startedAt: number;
  /** Its caller has left while its script ran: the connection is kept until then, in case it ends in time. */
  readonly abandoned: { readonly until: number; readonly reason: unknown } | null;
}

const GIVEN_BACK: ReadonlySet<CloseReason> = new Set(['keepalive-time', 'keepalive-requests', 'yield']);

export class Slot implements PooledSlot {
  connection: Connection | null = null;
  /** On it, or being dialled for. Still here while an abandoned script runs. */
  job: SlotJob | null = null;
  /** It has had a connection; and why the latest was closed. */
  used = false;
  #closedAs: CloseReason | null = null;

  /** Its connection may carry the next request. */
  idle = false;
  /** It was so when `closeStillIdle` looked. */
  wasIdle = false;

  get spent(): boolean {
    return this.used && this.connection === null;
  }

  /** Its connection has gone in such a way that another one follows, if anything does. */
  get isGivenBack(): boolean {
    return this.#closedAs !== null && GIVEN_BACK.has(this.#closedAs);
  }

  /** Its connection is used again, or has gone. True: it was idle. */
  endIdle(): boolean {
    const { idle } = this;
    this.idle = false;
    this.wasIdle = false;
    return idle;
  }

  /** Its connection is closed. `now`: by the pool's clock, ms. */
  disconnected(target: Target, reason: CloseReason, now: number): void {
    if (this.connection !== null) publishClosed(target, reason, this.connection, now);
    this.connection = null;
    this.used = true;
    this.#closedAs = reason;
  }
}

/** A server, and what it has in hand. */
interface Slots {
  readonly open: ReadonlySet<Slot>;
  readonly learned: { readonly workers: { readonly isFull: boolean; readonly found: number } };
  readonly settings: { readonly queueSize: number; readonly waitsForKept: boolean };
}

/** New connections wait for workers, and one more would only wait longer: its request is better kept in the queue. */
export function isHeldBack({ open, learned, settings }: Slots): boolean {
  // Where none is kept it would only come later to a worker that is free.
  if (settings.queueSize === 0 || !settings.waitsForKept) return false;
  return learned.workers.isFull && open.size >= learned.workers.found;
}

/** Closes idle connections, `most` of them at most. */
export function closeIdle(slots: Iterable<Slot>, reason: CloseReason, most: number): void {
  let left = most;
  for (const slot of slots) {
    if (left === 0) return;
    if (!slot.idle) continue;
    slot.connection?.close(reason);
    left--;
  }
}

/** Closes those that were idle the last time as well. True: others are idle. */
export function closeStillIdle(slots: Iterable<Slot>): boolean {
  let isLeft = false;
  for (const slot of slots) {
    if (!slot.idle) continue;
    if (slot.wasIdle) slot.connection?.close('keepalive-timeout');
    else isLeft = slot.wasIdle = true;
  }
  return isLeft;
}

/** Closes connections that carry no request of somebody who still wants it. */
export function closeUnwanted(slots: Iterable<Slot>, reason: CloseReason): void {
  for (const { connection, job } of slots) {
    // Idle, or being asked something.
    if (job === null) connection?.close(reason);
    else if (job.abandoned !== null) connection?.fail(job.abandoned.reason, reason);
  }
}
