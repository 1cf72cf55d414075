/**
 * One request from dispatch() to its end, over as many connections as it takes. It is what the caller steers
 * (DispatchController) and what a connection reports to (ExchangeListener), and it ends exactly once.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Head } from '../cgi/head.ts';
import type { Connection } from '../connection/connection.ts';
import { scriptHint } from '../connection/evidence/hint.ts';
import type { Exchange, ExchangeListener } from '../connection/exchange.ts';
import type { CloseReason } from '../connection/reuse.ts';
import { FcgiError } from '../errors.ts';
import type { EndRequest } from '../protocol/record.ts';
import type { DispatchController, DispatchHandler, DispatchRequest, Ended } from './dispatcher.ts';
import type { LinkedList, ListNode } from './linked-list.ts';
import type { BodyStream, PlannedBody } from './request/body.ts';
import type { Slot } from './slot.ts';

/** What a job asks of its pool. */
export interface JobOwner {
  /** The caller wants no more of it: take it out of wherever it is. */
  onAbort(job: Job, reason: unknown): void;
  onComplete(job: Job, verdict: 'keep' | CloseReason): void;
  /** True: it is sent again, on a fresh connection. */
  onFailure(job: Job, error: unknown): boolean;
  /** It has ended, one way or the other, and what its handler was told has been told. */
  onOver(job: Job): void;
}

const NO_HEADERS: readonly string[] = [];

/** Else every one of them is registered for finalization, wherever a profiler listens. */
const BY_HAND = { requireManualDestroy: true };

export class Job implements DispatchController, ExchangeListener, ListNode<Job> {
  readonly request: DispatchRequest;
  body: PlannedBody | null = null;
  /** Of a body that must be read whole before it can be sent. */
  unread: BodyStream | null = null;
  /** How often it was sent, or tried to be. */
  attempts = 0;
  /** It was sent again although it may have been run. */
  mayHaveRun = false;
  /** How often a fresh connection failed it. */
  freshFailures = 0;
  /** ms, by performance.now(). */
  queuedAt = 0;
  /** Of its pool: those that wait, or those that run. */
  list: LinkedList<Job> | null = null;
  previous: Job | null = null;
  next: Job | null = null;
  /** Where it runs; null: it waits, or is over. */
  slot: Slot | null = null;
  connection: Connection | null = null;
  /** The latest. */
  exchange: Exchange | null = null;
  /** Gives up the dialling. */
  dialling: AbortController | null = null;
  over = false;
  aborted = false;
  paused = false;
  rawHeaders: readonly string[] = NO_HEADERS;
  /** Who runs it; another one, once it has moved to another server. */
  owner: JobOwner;
  readonly #handler: DispatchHandler;
  /** Of dispatch(): a socket's events come in that of whoever opened it, and a queue's in that of whoever went before. */
  readonly #context: AsyncResource = new AsyncResource('FCGI_REQUEST', BY_HAND);
  /** Its request was found to be one. */
  #began = false;

  constructor(owner: JobOwner, request: DispatchRequest, handler: DispatchHandler) {
    this.owner = owner;
    this.request = request;
    this.#handler = handler;
  }

  /** False: it is over already. */
  begin(): boolean {
    const { signal } = this.request;
    if (signal?.aborted) {
      this.fail(signal.reason);
      return false;
    }
    this.#began = true;
    signal?.addEventListener('abort', this);
    try {
      this.#handler.onRequestStart?.(this);
    } catch (error) {
      this.abort(error);
    }
    return !this.over;
  }

  /** Code of the caller, in the async context in which it called dispatch(). */
  run<This, Args extends unknown[], R>(code: (this: This, ...args: Args) => R, on: This, ...args: Args): R {
    return this.#context.runInAsyncScope(code as (this: unknown, ...args: Args) => R, on, ...args);
  }

  /** All of its body can be sent once more. */
  get replayable(): boolean {
    return this.body !== null && (this.body.kind === 'bytes' || this.body.stream.replayable);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.abort(this.request.signal?.reason);
  }

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.over || this.aborted) return;
    this.aborted = true;
    this.owner.onAbort(this, reason);
    this.fail(reason);
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
    if (this.over) return;
    this.rawHeaders = head.rawHeaders;
    try {
      const { statusCode, headers, statusText } = head;
      const handler = this.#handler;
      this.run(handler.onResponseStart, handler, this, statusCode, headers, statusText);
    } catch (error) {
      this.abort(error);
    }
  }

  onData(chunk: Buffer): void {
    if (this.over) return;
    try {
      this.run(this.#handler.onResponseData, this.#handler, this, chunk);
    } catch (error) {
      this.abort(error);
    }
  }

  onStderr(chunk: Buffer): void {
    const { onStderr } = this.request;
    if (!onStderr || this.over) return;
    try {
      this.run(onStderr, undefined, chunk);
    } catch (error) {
      this.abort(error);
    }
  }

  onComplete(end: EndRequest, verdict: 'keep' | CloseReason): void {
    const { exchange } = this;
    this.connection = null;
    this.owner.onComplete(this, verdict);
    if (this.over) return;
    this.#settle();
    const stderr = exchange?.stderr ?? '';
    const ended: Ended = {
      appStatus: end.appStatus,
      reused: exchange?.reused ?? false,
      attempts: this.attempts,
      executed: 'yes',
      stderr,
      hint: stderr === '' ? '' : scriptHint(stderr, exchange?.script ?? ''),
    };
    try {
      this.run(this.#handler.onResponseEnd, this.#handler, this, ended);
    } catch (error) {
      this.#tell(error);
    }
    this.#leave();
  }

  onFailed(error: unknown): void {
    this.connection = null;
    if (this.over) return;
    // What an attempt before this one has left in the dark stays there.
    if (this.mayHaveRun && error instanceof FcgiError && error.executed === 'no')
      error.learn({ executed: 'unknown' });
    if (this.owner.onFailure(this, error)) return;
    this.fail(error);
  }

  /** The end, where it is not a good one. */
  fail(error: unknown): void {
    if (this.over) return;
    this.#settle();
    if (error instanceof FcgiError) error.learn({ attempts: this.attempts, replayable: this.replayable });
    this.#tell(error);
    this.#leave();
  }

  #settle(): void {
    this.over = true;
    if (this.#began) this.request.signal?.removeEventListener('abort', this);
    this.unread?.cancel();
    if (this.body?.kind === 'stream') this.body.stream.cancel();
  }

  /**
   * Without what it has learned: a job that waited for long is in the old generation, and what it holds would outlive
   * the scavenges until it goes itself, with a full collection.
   */
  #leave(): void {
    this.exchange = null;
    this.rawHeaders = NO_HEADERS;
    this.owner.onOver(this);
  }

  #tell(error: unknown): void {
    try {
      this.run(this.#handler.onResponseError, this.#handler, this, error);
    } catch {
      // The one who is told of errors has failed itself: there is nobody left to tell.
    }
  }
}
