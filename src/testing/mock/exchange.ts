/** One request through a MockDispatcher: an answer, told to a handler, with exactly one end. */
import { isUint8Array } from 'node:util/types';
import {
  type Executed,
  type FailureFacts,
  FcgiError,
  type Phase,
  type RequestTimes,
  type TimeoutError,
} from '../../errors.ts';
import { checkAnswer } from './answer.ts';
import { Limits } from './limits.ts';
import { checkContent, discard, holdsBytes, isOfBody, record } from './request.ts';
import type { Signals } from './signals.ts';
import type {
  MockAnswer,
  MockController,
  MockDispatchRequest,
  MockEnded,
  MockHandler,
  MockHeaders,
  RecordedRequest,
} from './types.ts';

const SERVER = 'mock';
/** Bytes of a body that PHP-FPM writes at once. */
const RECORD = 8192;

interface Seen {
  readonly executed: Executed;
  readonly phase: Phase;
  readonly attempts: number;
  readonly replayable: boolean;
  readonly stderr?: string;
}

export class MockExchange implements MockController {
  rawHeaders: readonly string[] = [];
  facts: FailureFacts | null = null;
  readonly #startedAt: number = performance.now();
  readonly #request: MockDispatchRequest;
  readonly #handler: MockHandler;
  readonly #onOver: (well: boolean) => void;
  #paused = false;
  #aborted = false;
  #over = false;
  /** What a Pool would say of a request that is given up now. */
  #seen: Seen;
  /** ms, to its first byte. */
  #answeredAfter = 0;
  #resumed: (() => void) | null = null;
  readonly #signals: Signals;
  #limits: Limits | null = null;
  #forget: () => void = () => {};

  /** `onOver` is called once, just before the handler's last callback: with true where the response ended well. */
  constructor(
    request: MockDispatchRequest,
    handler: MockHandler,
    signals: Signals,
    onOver: (well: boolean) => void,
  ) {
    this.#request = request;
    this.#signals = signals;
    this.#handler = handler;
    this.#onOver = onOver;
    this.#seen = { executed: 'no', phase: 'queued', attempts: 0, replayable: holdsBytes(request) };
  }

  get paused(): boolean {
    return this.#paused;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  pause(): void {
    this.#paused = true;
    this.#limits?.pause(true);
  }

  resume(): void {
    this.#paused = false;
    this.#limits?.pause(false);
    this.#resumed?.();
  }

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#over) return;
    this.#aborted = true;
    // One of ours says what was seen of this request, whoever made it.
    this.fail(reason, reason instanceof FcgiError ? reason.learn(this.#seen) : null);
  }

  /** `answer` is called once the body has been read, as by a Pool with this `replayBuffer`. Never rejects. */
  async run(
    answer: (request: RecordedRequest) => MockAnswer | Promise<MockAnswer>,
    replayBuffer: number,
  ): Promise<void> {
    const { signal } = this.#request;
    const onAbort = (): void => {
      this.#aborted = true;
      // It may be that of many requests: what was seen of this one does not belong on it.
      this.fail(signal?.reason, null);
    };
    const limits = new Limits(this.#request, (error) => this.#late(error));
    this.#limits = limits;
    try {
      // What is given up by then has not begun.
      if (signal?.aborted) onAbort();
      if (this.#over) return;
      if (signal) {
        this.#signals.add(signal, onAbort);
        // Not where run() ends: an answer that is waited for in vain would hold it for as long as the signal lives.
        this.#forget = () => this.#signals.remove(signal, onAbort);
      }
      this.#call(() => this.#handler.onRequestStart?.(this));
      if (this.#over) return;
      checkContent(this.#request);
      // As with a socket: no callback of the response before dispatch() has returned.
      await Promise.resolve();
      if (this.#over) return;
      const recorded = await record(this.#request, replayBuffer);
      if (this.#over) return;
      const { replayable } = recorded;
      this.#seen = { executed: 'unknown', phase: 'waiting', attempts: 1, replayable };
      limits.await('head');
      await this.#tell(await answer(recorded.request), limits);
    } catch (error) {
      if (isOfBody(error, this.#request)) this.abort(error);
      else this.fail(error);
    }
  }

  /** No effect once it is over. Never throws. `seen`: what was seen of the request, where that is noted already. */
  fail(error: unknown, seen: FcgiError | null = error instanceof FcgiError ? error : null): void {
    if (this.#over) return;
    this.#finish(false, () => this.#told(error, seen));
    try {
      discard(this.#request.body);
    } catch {}
  }

  /** What a callback throws gives the request up. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.abort(error);
    }
  }

  /** The one who is told of errors may fail himself: then there is nobody left to tell. */
  #told(error: unknown, noted: FcgiError | null): void {
    const seen =
      noted ??
      new FcgiError('FCGI_ERR_ABORTED', 'the request was given up', { cause: error, facts: this.#seen });
    const { executed, replayable } = this.#seen;
    // What the test makes up for an answer is as it says; before that it is ours.
    if (executed === 'no') seen.learn({ replayable });
    this.facts = seen.learn({ server: SERVER, times: this.#times() });
    try {
      if (seen !== error) this.#request.onAbort?.(seen);
    } catch {}
    try {
      this.#handler.onResponseError(this, error);
    } catch {}
  }

  /** Of one of our own limits: what was seen is told by the error itself. */
  #late(error: TimeoutError): void {
    if (error.code === 'FCGI_ERR_TIMEOUT') this.#aborted = true;
    this.fail(error.learn(this.#seen));
  }

  async #tell(answer: MockAnswer, limits: Limits): Promise<void> {
    checkAnswer(answer);
    this.#answeredAfter = this.#elapsed();
    const { statusCode = 200, statusText = '', stderr = '', appStatus = 0, error, body } = answer;
    while (this.#paused && !this.#over) await this.#resume();
    if (this.#over) return;
    if (stderr !== '') {
      this.#seen = { ...this.#seen, executed: 'yes', phase: 'head', stderr };
      this.#call(() => this.#request.onStderr?.(Buffer.from(stderr, 'utf8')));
    }
    while (this.#paused && !this.#over) await this.#resume();
    if (this.#over) return;
    if (error !== undefined && body === undefined) throw error;
    const pairs = pairsOf(answer.headers ?? {});
    this.rawHeaders = pairs.flat();
    this.#seen = { ...this.#seen, executed: 'yes', phase: 'body', stderr };
    this.#call(() => this.#handler.onResponseStart(this, statusCode, collect(pairs), statusText));
    // It comes together with its end: pause() is too late for both.
    const page = error === undefined ? shortPage(body) : null;
    if (page === null) await this.#stream(pieces(body ?? ''), limits);
    else if (!this.#over) this.#data(page);
    while (page === null && this.#paused && !this.#over) await this.#resume();
    if (this.#over) return;
    if (error !== undefined) throw error;
    const ended: MockEnded = {
      appStatus,
      reused: false,
      attempts: 1,
      server: SERVER,
      times: this.#times(),
      executed: 'yes',
      stderr,
      hint: '',
    };
    this.#finish(true, () => {
      try {
        this.#handler.onResponseEnd(this, ended);
      } catch (thrown) {
        this.#told(thrown, null);
      }
    });
  }

  async #stream(body: ReturnType<typeof pieces>, limits: Limits): Promise<void> {
    limits.await('piece');
    for await (const piece of body) {
      limits.await('nothing');
      while (this.#paused && !this.#over) await this.#resume();
      if (this.#over) return;
      this.#data(piece);
      limits.await('piece');
    }
    limits.await('nothing');
  }

  #data(piece: string | Uint8Array): void {
    const chunk = Buffer.from(piece);
    if (chunk.length > 0) this.#call(() => this.#handler.onResponseData(this, chunk));
  }

  #times(): RequestTimes {
    const firstByte = this.#seen.executed === 'yes' ? this.#answeredAfter : null;
    return { queued: 0, connecting: 0, firstByte, total: this.#elapsed() };
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  /** `tell`: the last callback, and the last to see the raw headers. */
  #finish(well: boolean, tell: () => void): void {
    this.#over = true;
    this.#limits?.end();
    this.#forget();
    this.#resumed?.();
    this.#onOver(well);
    tell();
    this.rawHeaders = [];
  }

  #resume(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }
}

function pairsOf(headers: NonNullable<MockAnswer['headers']>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one]),
  );
}

/** PHP-FPM writes a page of up to 8 KiB together with its end: a gateway knows both before it sends the head. null: another body. */
function shortPage(body: MockAnswer['body']): string | Uint8Array | null {
  const page = body ?? '';
  return (typeof page === 'string' || isUint8Array(page)) && Buffer.byteLength(page) <= RECORD ? page : null;
}

/** A longer one comes as PHP-FPM writes it. */
function pieces(
  body: NonNullable<MockAnswer['body']>,
): Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> {
  return typeof body === 'string' || isUint8Array(body) ? records(Buffer.from(body)) : body;
}

function* records(page: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < page.length; at += RECORD) yield page.subarray(at, at + RECORD);
}

function collect(pairs: readonly (readonly [string, string])[]): MockHeaders {
  const headers: MockHeaders = Object.create(null);
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const there = headers[key];
    if (there === undefined) headers[key] = key === 'set-cookie' ? [value] : value;
    else headers[key] = [there, value].flat();
  }
  return headers;
}
