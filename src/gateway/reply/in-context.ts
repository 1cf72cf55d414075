/**
 * A reply whose callbacks run in the async context of its own request, whoever dispatches: over a kept connection they
 * would else run in that of the request which opened the socket, and logs would name another visitor.
 */
import { AsyncResource } from 'node:async_hooks';
import type { DispatchController, DispatchHandler, Ended, ResponseHeaders } from '../../pool/dispatcher.ts';

export class InContext extends AsyncResource implements DispatchHandler {
  readonly #handler: Required<DispatchHandler>;

  /** Made in the context that counts. */
  constructor(handler: Required<DispatchHandler>) {
    super('FASTCGI_REQUEST', { requireManualDestroy: true });
    this.#handler = handler;
  }

  /** Comes while it is dispatched. */
  onRequestStart(controller: DispatchController): void {
    this.#handler.onRequestStart(controller);
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
    statusMessage: string,
  ): void {
    const handler = this.#handler;
    this.runInAsyncScope(handler.onResponseStart, handler, controller, statusCode, headers, statusMessage);
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    this.runInAsyncScope(this.#handler.onResponseData, this.#handler, controller, chunk);
  }

  onResponseEnd(controller: DispatchController, ended: Ended): void {
    this.runInAsyncScope(this.#handler.onResponseEnd, this.#handler, controller, ended);
  }

  onResponseError(controller: DispatchController, error: unknown): void {
    this.runInAsyncScope(this.#handler.onResponseError, this.#handler, controller, error);
  }
}
