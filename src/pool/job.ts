/**
 * One request from dispatch() to its end, over as many connections as it takes. It is what the caller steers
 * (DispatchController) and what a connection reports to (ExchangeListener), and it ends exactly once.
 */
import type { Head } from '../cgi/head.ts';
import type { Clock } from '../connection/clock.ts';
import type { Connection } from '../connection/connection.ts';
import type { Exchange, ExchangeListener } from '../connection/exchange.ts';
import type { Target } from '../connection/socket/address.ts';
import { type FailureFacts, FcgiError, type RequestTimes } from '../errors.ts';
import type { EndRequest } from '../protocol/record.ts';
import { traceRetry } from './channels.ts';
import type { DispatchController, DispatchHandler, DispatchRequest } from './dispatcher.ts';
import type { AbortListeners } from './queue/abort-listeners.ts';
import type { Deliveries } from './queue/deliveries.ts';
import type { LinkedList, ListNode } from './queue/linked-list.ts';
import type { BodyStream, PlannedBody } from './request/body.ts';
import { Caller } from './request/caller.ts';
import { Received } from './request/received.ts';
import { abortFacts, noteAnswer, noteable, RequestSnapshot, timedOut } from './request/request-snapshot.ts';
import { discardSource, isReplayable, watchSource } from './request/source.ts';
import { keepInDoubt } from './retry/in-doubt.ts';
import type { Slot, SlotJob } from './slots/slot.ts';
import { Times } from './stats/times.ts';

/** The server that runs a job, as the scheduler sees it through the job. */
export interface JobServer {
  /** The address, as in messages. */
  readonly name: string;
  readonly target: Pick<Target, 'transport'>;
  readonly learned: { readonly backend: { readonly isPhpFpm: boolean | null } };
  abort(job: Job, reason: unknown): void;
  /** The response is whole. */
  complete(job: Job): void;
  /** True: it is sent again, in its slot. False: it keeps its slot until `releaseSlot`. */
  resend(job: Job, error: unknown): boolean;
  readonly backendCheck: { confirm(job: Job, error: unknown): boolean };
  releaseSlot(job: Job): void;
}

/** What a job asks of its scheduler. */
export interface JobOwner {
  /** The address, as in messages. */
  readonly server: string;
  readonly clock: Clock;
  readonly signals: AbortListeners;
  readonly deliveries: Deliveries;
  /** The caller wants no more of it: take it out of wherever it is. */
  onAbort(job: Job, reason: unknown): void;
  /** `now`: by its clock. */
  onComplete(job: Job, now: number): void;
  /** True: it is sent again, on a fresh connection. */
  onFailure(job: Job, error: unknown): boolean;
  /** Its caller has left, and now its connection is over, too. */
  onAbandonedEnd(job: Job): void;
  /** It has ended, one way or the other, and what its handler was told has been told. */
  onSettled(job: Job): void;
}

/** Bytes of an answer that nobody wants any more. */
const MOST_DISCARDED = 64 * 1024;

const NO_HEADERS: readonly string[] = [];

export class Job implements DispatchController, ExchangeListener, ListNode<Job> {
  body: PlannedBody | null = null;
  /** Of a body of which some must be read, or all, before it can be sent. */
  unread: BodyStream | null = null;
  /** How often it was sent, or tried to be. */
  attempts = 0;
  /** It was sent again although it may have been run. */
  mayHaveRun = false;
  /** That it was not run has rested on its body: see learned/body-reading.ts. */
  doubtsBody = false;
  /** How often a fresh connection failed it. */
  freshFailures = 0;
  /** ms, by the pool's clock: when it was let in, and when it was given a slot. */
  queuedAt = 0;
  startedAt = 0;
  /** Of its pool: those that wait, or those that run. */
  list: LinkedList<Job> | null = null;
  previous: Job | null = null;
  next: Job | null = null;
  place = 0;
  /** Where it runs; null: it waits, or is over. */
  slot: Slot | null = null;
  /** The latest that ran it. */
  server: JobServer | null = null;
  connection: Connection | null = null;
  /** The latest. */
  exchange: Exchange | null = null;
  /** Gives up the dialling. */
  dialling: AbortController | null = null;
  over = false;
  abandoned: SlotJob['abandoned'] = null;
  aborted = false;
  paused = false;
  facts: FailureFacts | null = null;
  rawHeaders: readonly string[] = NO_HEADERS;
  readonly times: Times;
  readonly caller: Caller;
  readonly snapshot: RequestSnapshot;
  readonly #owner: JobOwner;
  readonly #received = new Received();
  /** Of its request, once that was found to be one. */
  #signal: AbortSignal | null = null;
  /** What abort() or the signal gave. */
  #reason: { readonly given: unknown } | null = null;
  #cancelDeadline: (() => void) | null = null;

  /** `monotonic`: ms, the time by the owner's clock. */
  constructor(owner: JobOwner, request: DispatchRequest, handler: DispatchHandler, monotonic: number) {
    this.caller = new Caller(handler);
    this.#owner = owner;
    this.snapshot = new RequestSnapshot(request);
    this.times = new Times(monotonic);
  }

  /** False: it is over already. `timeout`: ms, of its pool. */
  begin(timeout: number): boolean {
    this.caller.check();
    const { signal, body } = this.request;
    watchSource(body, (error) => this.abort(error));
    if (signal?.aborted) {
      this.onSignal(signal.reason);
      return false;
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.#owner.signals.add(signal, this);
    }
    const most = this.request.timeout ?? timeout;
    if (most > 0) this.#cancelDeadline = this.#owner.clock.after(most, () => this.abort(timedOut(most)));
    try {
      this.caller.onRequestStart(this);
    } catch (error) {
      this.abort(error);
    }
    return !this.over;
  }

  /** All of its body can be sent once more. */
  get replayable(): boolean {
    return isReplayable(this.body, this.request);
  }

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    this.#giveUp(reason, noteable(reason));
  }

  /** The reason may be that of many requests: what is seen of this one must not be noted on it. */
  onSignal(reason: unknown): void {
    this.#giveUp(reason, null);
  }

  #giveUp(reason: unknown, noted: FcgiError | null): void {
    if (this.over || this.aborted) return;
    this.aborted = true;
    this.#reason = { given: reason };
    const seen = noted ?? abortFacts(reason, null);
    // Where it still has its connection, that notes it.
    if (this.connection === null && this.exchange !== null) noteAnswer(seen, this.exchange);
    if (this.dialling !== null) seen.learn({ phase: 'connecting' });
    this.#owner.onAbort(this, seen);
    this.fail(seen);
  }

  pause(): void {
    if (this.over || this.paused) return;
    this.paused = true;
    this.connection?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.connection?.resume();
  }

  onHead(head: Head): void {
    if (!this.over) this.#received.head(head);
  }

  onData(chunk: Buffer): void {
    if (!this.over) this.#received.data(chunk);
    // A long answer that nobody wants is not worth reading: PHP stops when its connection is closed.
    else if (this.abandoned !== null && this.#received.drop(chunk) > MOST_DISCARDED)
      this.connection?.fail(this.abandoned.reason, 'aborted');
  }

  onPart(): void {
    try {
      this.#received.tell(this);
    } catch (error) {
      this.abort(error);
    }
  }

  onStderr(chunk: Buffer): void {
    const { onStderr } = this.request;
    if (!onStderr || this.over) return;
    this.onPart();
    try {
      this.caller.runInAsyncScope(onStderr, undefined, chunk);
    } catch (error) {
      this.abort(error);
    }
  }

  onComplete(end: EndRequest): void {
    const { connection, exchange } = this;
    const monotonic = this.#owner.clock.monotonic();
    if (connection !== null) exchange?.leave(connection.requests, connection.writer.sent);
    this.connection = null;
    this.#owner.onComplete(this, this.#owner.clock.at(monotonic));
    if (this.over) return;
    // It has been answered in time, whenever that is told.
    this.#cancelDeadline?.();
    const server = this.server?.name ?? this.#owner.server;
    this.#received.end(end, exchange, this.attempts, server, this.#timesAt(monotonic));
    this.#owner.deliveries.add(this);
  }

  /** Its response is whole. */
  deliver(): void {
    const { ended } = this.#received;
    this.onPart();
    if (this.over || ended === null) return;
    this.#settle();
    try {
      this.caller.onResponseEnd(this, ended);
    } catch (error) {
      this.#tell(error, abortFacts(error, this.exchange));
    }
    this.#leave();
  }

  onFailed(error: unknown): void {
    this.connection = null;
    this.onPart();
    if (this.over) {
      this.#owner.onAbandonedEnd(this);
      return;
    }
    if (error instanceof FcgiError && this.mayHaveRun) keepInDoubt(error, this.attempts);
    this.doubtsBody ||= this.exchange?.restsOnBody === true;
    if (this.server?.backendCheck.confirm(this, error) || traceRetry(this, error, this.#owner)) return;
    this.fail(error);
  }

  /** The end, where it is not a good one. */
  fail(error: unknown): void {
    if (this.over) return;
    this.#settle();
    const seen = noteable(error) ?? abortFacts(error, this.exchange);
    // Enough to send it once more, with care, and no proof.
    if (this.mayHaveRun || this.doubtsBody) keepInDoubt(seen, this.attempts);
    this.#tell(this.#reason !== null && error === seen ? this.#reason.given : error, seen);
    this.#leave();
  }

  /** As it was when dispatch() was called. */
  get request(): Omit<DispatchRequest, 'params'> {
    return this.snapshot.request;
  }

  /** `error` may be the caller's own: then what was seen is told apart. */
  #tell(error: unknown, seen: FcgiError): void {
    const { attempts, replayable } = this;
    const server = this.server?.name ?? this.#owner.server;
    const times = this.#timesAt(this.#owner.clock.monotonic());
    this.facts = seen.learn({ attempts, replayable, server, times });
    if (error !== seen) this.caller.onAbort(this.request, seen);
    this.caller.onResponseError(this, error);
  }

  #timesAt(monotonic: number): RequestTimes {
    return this.times.at(monotonic, this.exchange?.firstByteAfter ?? -1);
  }

  #settle(): void {
    this.over = true;
    this.#cancelDeadline?.();
    if (this.#signal !== null) this.#owner.signals.remove(this.#signal, this);
    try {
      this.unread?.cancel();
      if (this.body?.kind === 'stream') this.body.stream.cancel();
    } catch {
      // An iterator whose return() throws: what it has to say concerns nobody any more.
    }
    discardSource(this.request);
  }

  /** Without what it has learned, once its script is over: a job that waited for long is old, and what it holds would outlive the scavenges. */
  #leave(): void {
    if (this.connection === null) this.exchange = null;
    this.rawHeaders = NO_HEADERS;
    this.#owner.onSettled(this);
  }
}
