/** A slot in the pool: empty, dialling, or with one connection, which it represents towards the pool. */

import type { HeadNames } from '../cgi/head.ts';
import type { Clock } from '../connection/clock.ts';
import type { Connection } from '../connection/connection.ts';
import type { Exchange } from '../connection/exchange.ts';
import type { ConnectionOwner } from '../connection/owner.ts';
import type { CloseReason } from '../connection/reuse.ts';
import type { PoolSettings } from './options.ts';
import type { PooledSlot } from './slots.ts';

export interface SlotOwner {
  readonly clock: Clock;
  readonly settings: PoolSettings;
  readonly headNames: HeadNames;
  readonly closing: boolean;
  readonly terminatorDelay: number;
  mustYield(): boolean;
  idleFull(): boolean;
  onFirstByte(exchange: Exchange): void;
  onClosed(slot: Slot, connection: Connection, reason: CloseReason): void;
}

/** What a slot knows of the job on it. */
export interface SlotJob {
  readonly exchange: Exchange | null;
}

export class Slot implements ConnectionOwner, PooledSlot {
  connection: Connection | null = null;
  /** On it, or being dialled for. */
  job: SlotJob | null = null;
  #used = false;
  readonly #pool: SlotOwner;

  constructor(pool: SlotOwner) {
    this.#pool = pool;
  }

  get idle(): boolean {
    return this.job === null && this.connection !== null;
  }

  get spent(): boolean {
    return this.#used && this.connection === null;
  }

  get clock(): Clock {
    return this.#pool.clock;
  }

  get maxHeaderSize(): number {
    return this.#pool.settings.maxHeaderSize;
  }

  get headNames(): HeadNames {
    return this.#pool.headNames;
  }

  get keepaliveTime(): number {
    return this.#pool.settings.keepaliveTime;
  }

  get keepaliveTimeout(): number {
    return this.#pool.settings.keepaliveTimeout;
  }

  get proxied(): boolean {
    return this.#pool.settings.proxied;
  }

  get terminatorDelay(): number {
    return this.#pool.terminatorDelay;
  }

  get closing(): boolean {
    return this.#pool.closing;
  }

  mustYield(): boolean {
    return this.#pool.mustYield();
  }

  idleFull(): boolean {
    return this.#pool.idleFull();
  }

  onFirstByte(exchange: Exchange): void {
    this.#pool.onFirstByte(exchange);
  }

  onClosed(reason: CloseReason): void {
    if (this.connection !== null) this.#pool.onClosed(this, this.connection, reason);
    this.connection = null;
    this.#used = true;
  }
}
