/** All that a pool learns from what it sees, in one place for the runner; each lesson has its own file. */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { PoolSettings } from '../options.ts';
import { BackgroundWork } from './background-work.ts';
import { Recycling } from './recycling.ts';
import { Terminator } from './terminator.ts';
import { Turns } from './workers.ts';

export class Learned {
  readonly turns: Turns<Exchange>;
  readonly terminator: Terminator;
  readonly #keepaliveRequests: number;
  readonly #recycling: Recycling = new Recycling();
  readonly #backgroundWork: BackgroundWork = new BackgroundWork();
  /** Connections that have had an answer, so that a worker has them. */
  #proven = 0;

  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(settings: PoolSettings, clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.turns = new Turns(settings.connections);
    this.terminator = new Terminator(settings.terminatorDelay);
    this.#keepaliveRequests = settings.keepaliveRequests;
  }

  /** How many requests a new connection may carry: less up to a tenth, so that not all are renewed together. */
  keepaliveRequests(): number {
    const most = this.#keepaliveRequests;
    return Math.min(most - Math.floor((this.#random() * most) / 10), this.#recycling.cap());
  }

  /** May a connection be kept behind this script? */
  keeps(script: string): boolean {
    return !this.#backgroundWork.anyBlamed || this.#backgroundWork.keeps(script, this.#clock.now());
  }

  firstByte(exchange: Exchange): void {
    const { firstByteAfter, script, scriptBefore } = exchange;
    const now = exchange.startedAt + firstByteAfter;
    if (!exchange.reused) this.#proven++;
    this.terminator.answered(exchange);
    this.turns.answered(exchange, now, firstByteAfter, this.#proven);
    this.#backgroundWork.answered(script, scriptBefore, firstByteAfter);
  }

  /** Called every few ms while its response has not begun. */
  silent(exchange: Exchange, now: number): void {
    const { script, scriptBefore, startedAt } = exchange;
    if (exchange.overdue || scriptBefore === null || exchange.firstByteAfter >= 0) return;
    exchange.overdue = this.#backgroundWork.silent(script, scriptBefore, now - startedAt, now);
  }

  complete(connection: Connection | null): void {
    if (connection !== null) this.#recycling.outlived(connection.requests);
  }

  failed(exchange: Exchange): void {
    this.turns.gone(exchange, this.#clock.now());
  }

  closed(connection: Connection, reason: CloseReason): void {
    if (connection.proven) this.#proven--;
    if (reason === 'server-closed') this.#recycling.ended(connection.requests);
    // The request that raced with the server's close was not answered.
    else if (reason === 'recycled') this.#recycling.ended(connection.requests - 1);
  }
}
