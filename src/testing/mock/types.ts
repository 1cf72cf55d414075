/**
 * The shape of a Dispatcher as far as the mock needs it. Not imported from the library: a test double that shares
 * code with what it stands for shares its mistakes. A test assigns one to the other.
 */
import type { Readable } from 'node:stream';
import type { FailureFacts, RequestTimes } from '../../errors.ts';

/** What is dispatched. A mock sends nothing, so it has no use for `retry`, `server` and the like but to check them. */
export interface MockDispatchRequest {
  readonly params: Readonly<Record<string, string | Uint8Array>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | null | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly idempotent?: boolean | undefined;
  readonly closeOnAbort?: boolean | undefined;
  readonly server?: string | undefined;
  readonly retry?: string | undefined;
  /** ms; 0, or left out: none. */
  readonly timeout?: number | undefined;
  readonly headersTimeout?: number | undefined;
  readonly bodyTimeout?: number | undefined;
  readonly onStderr?: ((chunk: Uint8Array) => void) | undefined;
  readonly onAbort?: ((facts: FailureFacts) => void) | undefined;
}

/** Names in lower case; `set-cookie` is always an array. */
export type MockHeaders = Record<string, string | string[]>;

export interface MockEnded {
  readonly appStatus: number;
  readonly reused: boolean;
  readonly attempts: number;
  /** `'mock'`. */
  readonly server: string;
  readonly times: RequestTimes;
  readonly executed: 'yes';
  readonly stderr: string;
  readonly hint: string;
}

export interface MockController {
  pause(): void;
  resume(): void;
  abort(reason?: unknown): void;
  readonly paused: boolean;
  readonly aborted: boolean;
  /** From onResponseError on. */
  readonly facts: FailureFacts | null;
  readonly rawHeaders: readonly string[];
}

export interface MockHandler {
  onRequestStart?(controller: MockController): void;
  onResponseStart(
    controller: MockController,
    statusCode: number,
    headers: MockHeaders,
    statusText: string,
  ): void;
  onResponseData(controller: MockController, chunk: Buffer): void;
  onResponseEnd(controller: MockController, ended: MockEnded): void;
  onResponseError(controller: MockController, error: unknown): void;
}

export interface MockResponseBody extends Readable {
  text(): Promise<string>;
  json(): Promise<unknown>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  readonly bodyUsed: boolean;
  dump(options?: { limit?: number | undefined; signal?: AbortSignal | undefined }): Promise<null>;
}

export interface MockResponse {
  readonly statusCode: number;
  readonly statusText: string;
  readonly headers: MockHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: MockResponseBody;
  readonly ended: Promise<MockEnded>;
}

/** What came in, with its body read. */
export interface RecordedRequest {
  /** As UTF-8. An object without a prototype. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** `body` as UTF-8. */
  readonly text: string;
  /** As it was given to dispatch() or request(). */
  readonly request: MockDispatchRequest;
}

/** What a request is answered with; everything may be left out. */
export interface MockAnswer {
  /** Default 200. */
  readonly statusCode?: number;
  /** Default ''. */
  readonly statusText?: string;
  /** Names in any case; of a value each char is one byte (latin1), as a Pool has it. What is undefined is left out. Default none. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Strings go out as UTF-8, each piece of an iterable as a chunk of its own, all else by 8 KiB. Default ''. */
  readonly body?: string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /** To `onStderr` before the head, and into `ended`. Default ''. */
  readonly stderr?: string;
  /** Default 0. */
  readonly appStatus?: number;
  /** With `body`: comes after it, so that the response is cut short. Without: comes in place of a response. */
  readonly error?: Error;
}
