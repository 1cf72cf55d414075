/**
 * The one who called dispatch(): his callbacks, in his async context. A socket's events come in the context of whoever
 * opened it, and those of a queue in that of whoever went before.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Head } from '../../cgi/head.ts';
import type { RequestMessage } from '../../connection/channels.ts';
import type { FailureFacts } from '../../errors.ts';
import { messageOf } from '../channels.ts';
import type { DispatchController, DispatchHandler, DispatchRequest, Ended } from '../dispatcher.ts';
import { checkCallbacks, checkHandler } from './validate.ts';

// Else every one is registered for finalization, wherever a profiler listens.
const BY_HAND = { requireManualDestroy: true };

export class Caller extends AsyncResource {
  /** Where somebody listens to our channels; else null. */
  readonly message: RequestMessage | null;
  readonly #handler: DispatchHandler;

  /** Throws FCGI_ERR_INVALID_ARG where nobody could be told of an error. */
  constructor(handler: DispatchHandler) {
    checkHandler(handler);
    super('FCGI_REQUEST', BY_HAND);
    this.#handler = handler;
    this.message = messageOf(handler);
  }

  /** Throws FCGI_ERR_INVALID_ARG where a callback is missing. */
  check(): void {
    checkCallbacks(this.#handler);
  }

  onRequestStart(controller: DispatchController): void {
    this.#handler.onRequestStart?.(controller);
  }

  onResponseStart(controller: DispatchController, { statusCode, headers, statusText }: Head): void {
    const handler = this.#handler;
    this.runInAsyncScope(handler.onResponseStart, handler, controller, statusCode, headers, statusText);
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    this.runInAsyncScope(this.#handler.onResponseData, this.#handler, controller, chunk);
  }

  onResponseEnd(controller: DispatchController, ended: Ended): void {
    this.runInAsyncScope(this.#handler.onResponseEnd, this.#handler, controller, ended);
  }

  /** Never throws: if the one who is told of errors has failed itself, there is nobody left to tell. */
  onResponseError(controller: DispatchController, error: unknown): void {
    try {
      this.runInAsyncScope(this.#handler.onResponseError, this.#handler, controller, error);
    } catch {}
  }

  /** Never throws: the error itself is told next. */
  onAbort(request: Partial<DispatchRequest> | null | undefined, facts: FailureFacts): void {
    try {
      const onAbort = request?.onAbort;
      if (typeof onAbort === 'function') this.runInAsyncScope(onAbort, undefined, facts);
    } catch {}
  }
}
