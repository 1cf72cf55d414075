/**
 * All that a pool learns of its server from what it sees; each rule has its own file.
 * This folder: what a pool learns of its server, one rule a file, each a pure function over counts. It imports
 * what its parent may, and sends nothing.
 */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { Held } from '../../connection/owner.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import { isPassing } from '../../connection/socket/connect.ts';
import type { ConnectError } from '../../errors.ts';
import type { PoolSettings } from '../options.ts';
import { AcceptCheck } from './accept-check.ts';
import type { BackendKind } from './backend-kind.ts';
import { Backends } from './backends.ts';
import { type Answers, BackgroundWork } from './background-work.ts';
import { Backlog } from './backlog.ts';
import type { BodyReading } from './body-reading.ts';
import { Continuity } from './continuity.ts';
import { KeepaliveTimes } from './keepalive-times.ts';
import { Neighbours } from './neighbours.ts';
import { Terminator } from './terminator.ts';
import { Workers } from './workers.ts';

/** ms: workers that answer at the same time must not take each other for one that is missing. */
const YIELD_AFTER = 5;

/** What the learned rules ask of the scheduler. */
export interface LearnedOwner {
  /** Of all servers of an Upstream. */
  readonly bodyReading: BodyReading;
  readonly answers: Answers;
  /** Requests that wait for a connection. While there are such, others wait for this process rather than it for them. */
  readonly queued: number;
}

export class Learned {
  readonly workers: Workers<Exchange> = new Workers();
  readonly backlog: Backlog<Exchange>;
  readonly keepaliveTimes: KeepaliveTimes;
  readonly neighbours: Neighbours = new Neighbours();
  readonly terminator: Terminator;
  readonly #backends: Backends;
  readonly #continuity: Continuity = new Continuity();
  readonly acceptCheck: AcceptCheck = new AcceptCheck();
  readonly #keepaliveRequests: number;
  readonly backgroundWork: BackgroundWork;
  readonly bodyReading: BodyReading;
  /** Why nobody can connect, by the latest try; null: that one could, or there was none. */
  refusal: ConnectError | null = null;
  #yieldsSoon = false;
  #freesSoon = false;
  /** When the latest request was over; known only while others need workers. */
  #endedAt = Number.NEGATIVE_INFINITY;
  /** Connections that have had an answer, so that a worker has them. */
  #proven = 0;
  /** Without a gap some have waited for a worker since one was heard of: it is the same server still. */
  #isHeardOf = false;

  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #owner: LearnedOwner;

  constructor(settings: PoolSettings, clock: Clock, random: () => number, owner: LearnedOwner) {
    this.#clock = clock;
    this.#random = random;
    this.#owner = owner;
    this.backlog = new Backlog(clock);
    this.bodyReading = owner.bodyReading;
    this.backgroundWork = new BackgroundWork(owner.answers);
    this.keepaliveTimes = new KeepaliveTimes(settings);
    this.terminator = new Terminator(settings.terminatorDelay);
    this.#backends = new Backends(settings, () => clock.monotonic());
    this.#keepaliveRequests = settings.keepaliveRequests;
  }

  /** A period is over: what was learned in the one before it is forgotten, where it may be otherwise by now. */
  rotate(): void {
    this.workers.rotate();
    this.keepaliveTimes.rotate();
  }

  /** What is known of the server to which the latest connection leads. */
  get backend(): BackendKind {
    return this.#backends.latest;
  }

  /** And of the one to which a certain connection leads; '' where there is but one. */
  backendAt(endpoint: string): BackendKind {
    return this.#backends.at(endpoint);
  }

  /** A socket is connected, to `endpoint`; what tells its server from those before is returned. `isTcp`: that alone does not. */
  connected(endpoint: string, isTcp: boolean): string {
    this.refusal = null;
    return this.#backends.connected(endpoint, isTcp && this.#continuity.connected(this.#clock.monotonic()));
  }

  /** Nobody can connect. */
  refused(error: ConnectError): void {
    this.refusal = error;
    if (isPassing(error, true)) this.#continuity.refused();
  }

  /** A connection may carry requests. `roundTrip`: ms, null on a unix socket. */
  opened(roundTrip: number | null): void {
    if (roundTrip !== null) this.keepaliveTimes.connected(roundTrip);
    this.#continuity.opened();
  }

  /** How many requests a new connection may carry: less up to a tenth, so that not all are renewed together. */
  keepaliveRequests(): number {
    const most = this.#keepaliveRequests;
    return most - Math.floor((this.#random() * most) / 10);
  }

  /**
   * With `open` sockets, is one more open than workers have been seen of late? It may wait for one. Where nobody has been heard of, another
   * server may be there now, which need not know what it is asked.
   */
  isOneMore(open: number): boolean {
    const isSame = this.#proven > 0 || (this.#isHeardOf && this.workers.waiting > 0);
    return isSame && open > this.workers.found;
  }

  /** A request goes out, on a fresh connection or a kept one; `open` sockets are open then. */
  sent(exchange: Exchange, isFresh: boolean, open: number): void {
    if (isFresh && this.workers.waiting === 0) this.#isHeardOf = this.#proven > 0;
    this.workers.sent(exchange, isFresh, open);
  }

  /** A fresh connection waits for a worker; `open` sockets are open then. */
  asked(exchange: Exchange, open: number): void {
    this.sent(exchange, true, open);
    this.backlog.asked(exchange, this.#clock.now());
  }

  /** A worker has it, and its request is still to be sent. */
  accepted(exchange: Exchange, connecting: number): void {
    const now = this.#clock.now();
    if (this.workers.isTaken(exchange, this.#proven)) this.neighbours.workerWasTaken(now);
    this.#proven++;
    this.#isHeardOf = true;
    this.workers.answered(exchange, this.#proven);
    const waited = this.backlog.accepted(exchange, now);
    this.waited(waited, now);
    this.acceptCheck.onAccepted(waited, connecting);
  }

  /** A connection of ours has waited so long for a worker, ms. */
  waited(wait: number, now: number = this.#clock.now()): void {
    if (this.#owner.queued === 0) this.neighbours.waited(wait, this.keepaliveTimes.connect, now);
  }

  /** The first record of a response is here. Since when a worker has its connection, as far as that is known. */
  firstByte(exchange: Exchange, connection: Held): number {
    const { firstByteAfter, script, endpoint } = exchange;
    if (exchange.reused) this.backendAt(endpoint).onStayedOpen();
    let { heldSince } = connection;
    if (connection.proven) {
      this.acceptCheck.onPage(firstByteAfter);
      this.neighbours.keptAnswered(firstByteAfter, this.#clock);
    } else heldSince = this.#firstAnswered(exchange, connection.openedAt);
    if (this.terminator.mayHaveWaited(exchange)) this.backendAt(endpoint).onDoubted();
    this.workers.answered(exchange, this.#proven);
    this.backgroundWork.answered(script, firstByteAfter);
    return heldSince;
  }

  /** The first of a new connection, for which no worker was asked. */
  #firstAnswered(exchange: Exchange, openedAt: number): number {
    const { firstByteAfter, firstByteAt } = exchange;
    const { connect } = this.keepaliveTimes;
    const { page } = this.acceptCheck;
    const now = this.#clock.now();
    if (this.workers.isTaken(exchange, this.#proven)) this.neighbours.overtaken(firstByteAfter, connect, now);
    this.#proven++;
    this.#isHeardOf = true;
    if (!this.acceptCheck.onUnasked(firstByteAfter)) this.backlog.answeredSoon();
    if (this.#owner.queued === 0) this.neighbours.answered(firstByteAfter, page, connect, now);
    // What came later than a page takes has waited for its worker.
    return Math.max(openedAt, firstByteAt - page);
  }

  /** See BackendKind. */
  get isQueryDue(): boolean {
    return this.backend.isPhpFpm !== true && this.backend.isQueryDue(this.#clock.monotonic());
  }

  /** A response is whole: must its connection go all the same, for the sake of a request that waits? */
  mustYield(exchange: Exchange): boolean {
    if (this.workers.waiting === 0) return false;
    this.workers.completed(exchange, this.#proven);
    return this.workers.mustYield(this.#proven);
  }

  /** Called every few ms while its response has not begun. */
  silent(exchange: Exchange, now: number): void {
    const { script, scriptBefore, startedAt } = exchange;
    if (exchange.overdue || scriptBefore === null || exchange.firstByteAfter >= 0) return;
    exchange.overdue = this.backgroundWork.silent(script, scriptBefore, now - startedAt);
  }

  /** A connection is idle. Where a fresh one still waits then, `close` as many as wait: it may wait for this one's worker. */
  yieldSoon(close: (count: number) => void): void {
    const { workers } = this;
    if (this.#yieldsSoon || workers.waiting === 0 || workers.oneMore === 0) return;
    this.#yieldsSoon = true;
    this.#clock.after(YIELD_AFTER, () => {
      this.#yieldsSoon = false;
      close(workers.oneMore);
    });
  }

  /** A connection is idle. Where others need its worker, `close` is called again and again until it says that none is left. */
  freeSoon(close: () => boolean): void {
    if (this.#freesSoon || !this.#mustGiveBack) return;
    this.#freesSoon = true;
    // The second time that it is idle then.
    this.#clock.after(this.keepaliveTimes.shortIdleTime / 2, () => {
      this.#freesSoon = false;
      if (close()) this.freeSoon(close);
    });
  }

  /**
   * Is a connection to be kept that is opened now? Not where others need its worker, and it would be closed before the next request, as it
   * would have been before this one: until our close is there, the worker is held for a round trip more.
   */
  get keepsNew(): boolean {
    if (!this.#mustGiveBack || this.isQueryDue) return true;
    return this.#clock.now() - this.#endedAt < this.keepaliveTimes.shortIdleTime;
  }

  get #mustGiveBack(): boolean {
    return this.keepaliveTimes.isIdlenessAuto && this.neighbours.needWorkers(this.#clock);
  }

  /** ms of silence after which the empty STDIN record goes out by itself. */
  terminatorDelay({ headersTimeout, endpoint }: Exchange): number {
    const { isPhpFpm, isDoubted } = this.backendAt(endpoint);
    return this.terminator.delay(isPhpFpm === true || isDoubted, headersTimeout);
  }

  /** How long to wait for a script whose caller has left, ms. */
  budget(script: string): number {
    return this.backgroundWork.budget(script);
  }

  /** The exchange is over, well or not, or its request is to be sent on another connection. */
  ended(exchange: Exchange): void {
    this.workers.gone(exchange);
    this.backlog.gone(exchange);
    if (this.#mustGiveBack) this.#endedAt = this.#clock.now();
    if (exchange.isBodyLeft) this.bodyReading.bodyLeft(this.#clock.now());
  }

  closed(connection: Connection, reason: CloseReason): void {
    const { answered, server, idle } = connection;
    if (connection.proven) this.#proven--;
    this.#continuity.closed(reason, idle.settled, this.#clock.monotonic());
    const wasIdle = answered === connection.requests;
    if (wasIdle && answered > 0) this.keepaliveTimes.givenBack(this.#clock.now());
    // The request that raced with the server's close was not answered.
    if (reason === 'server-closed' || reason === 'recycled' || (reason === 'reset' && wasIdle))
      this.backendAt(server.endpoint).onServerClosed(answered);
  }
}
