/**
 * Publishes on node:diagnostics_channel what becomes of requests and connections (names and messages:
 * connection/channels.ts). Without a subscriber, a request costs one check of each channel.
 */
import { channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { PhpMessageSplitter } from '../cgi/php-message.ts';
import {
  CHANNELS,
  type ConnectionClosed,
  type ConnectMessage,
  type RequestHeaders,
  type RequestMessage,
  type RequestQueued,
  type RequestRefused,
  type RequestRetry,
  type RequestStderr,
  type ServerState,
  serverAddress,
} from '../connection/channels.ts';
import type { CloseReason } from '../connection/reuse.ts';
import type { Target } from '../connection/socket/address.ts';
import { FcgiError } from '../errors.ts';
import type {
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  ResponseHeaders,
} from './dispatcher.ts';
import { copyOf } from './request/request-snapshot.ts';
import { isRequest } from './request/validate.ts';

/** A channel, with the type of its messages. */
interface TypedChannel<T> {
  readonly hasSubscribers: boolean;
  publish(message: T): void;
}

const request: TracingChannel<unknown, RequestMessage> = tracingChannel(CHANNELS.request);
const connecting: TracingChannel<unknown, ConnectMessage> = tracingChannel(CHANNELS.connect);
const queued: TypedChannel<RequestQueued> = channel(CHANNELS.queued);
const headersReceived: TypedChannel<RequestHeaders> = channel(CHANNELS.headers);
const retry: TypedChannel<RequestRetry> = channel(CHANNELS.retry);
const stderr: TypedChannel<RequestStderr> = channel(CHANNELS.stderr);
const refused: TypedChannel<RequestRefused> = channel(CHANNELS.refused);
const closed: TypedChannel<ConnectionClosed> = channel(CHANNELS.connectionClosed);
const state: TypedChannel<ServerState> = channel(CHANNELS.serverState);

const NOTHING = new Uint8Array(0);

/** What the channels need of a job. */
interface TracedJob {
  readonly caller: {
    readonly message: RequestMessage | null;
    runInAsyncScope<T>(call: () => T): T;
  };
  readonly attempts: number;
  readonly over: boolean;
  readonly exchange: { readonly restsOnBody: boolean } | null;
}

type DispatcherOnly = Pick<Dispatcher, 'dispatch'>;

/** Dispatches a request, and publishes what becomes of it if there is a subscriber as it begins. `dispatcher`: the one that the caller has. */
export function dispatchTraced(
  dispatcher: object,
  to: DispatcherOnly,
  given: DispatchRequest,
  handler: DispatchHandler,
): void {
  // Invalid arguments have no message: dispatch gives the error to the handler.
  if (!hasAnySubscriber() || !isRequest(given, handler)) {
    to.dispatch(given, handler);
    return;
  }
  const message: RequestMessage = {
    dispatcher,
    params: { ...given.params },
    serverAddress: null,
    serverPort: null,
    attempts: 0,
    reused: false,
    statusCode: null,
  };
  const tracing = new TracingHandler(handler, message);
  const onStderr = (chunk: Uint8Array): void => {
    tracing.onStderr(chunk);
    given.onStderr?.(chunk);
  };
  request.start.runStores(message, () => {
    to.dispatch({ ...copyOf(given), params: message.params, onStderr }, tracing);
    request.end.publish(message);
  });
}

/** Calls the caller's handler, and publishes what it is called with. */
export class TracingHandler implements DispatchHandler {
  readonly message: RequestMessage;
  readonly #handler: DispatchHandler;
  readonly #splitter: PhpMessageSplitter = new PhpMessageSplitter();
  #over = false;

  constructor(handler: DispatchHandler, message: RequestMessage) {
    this.#handler = handler;
    this.message = message;
  }

  onRequestStart(controller: DispatchController): void {
    this.#handler.onRequestStart?.(controller);
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
    statusMessage: string,
  ): void {
    const { message } = this;
    message.statusCode = statusCode;
    if (headersReceived.hasSubscribers) {
      headersReceived.publish({ request: message, statusCode, headers, rawHeaders: controller.rawHeaders });
    }
    this.#handler.onResponseStart(controller, statusCode, headers, statusMessage);
  }

  onStderr(chunk: Uint8Array): void {
    if (stderr.hasSubscribers)
      stderr.publish({ request: this.message, chunk, messages: this.#splitter.push(chunk) });
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData(controller, chunk);
  }

  onResponseEnd(controller: DispatchController, ended: Ended): void {
    const { message } = this;
    message.attempts = ended.attempts;
    message.reused = ended.reused;
    message.result = ended;
    this.#end(() => this.#handler.onResponseEnd(controller, ended));
  }

  onResponseError(controller: DispatchController, error: unknown): void {
    const callHandler = (): void => this.#handler.onResponseError(controller, error);
    // The caller's onResponseEnd has thrown this. The end is published already, and must not be twice.
    if (this.#over) {
      callHandler();
      return;
    }
    const { message } = this;
    message.error = error;
    if (controller.facts !== null) {
      message.facts = controller.facts;
      message.attempts = controller.facts.attempts;
      message.reused = controller.facts.reused;
    }
    if (refused.hasSubscribers && isRefusal(error)) {
      refused.publish({ request: message, code: error.code, retryAfter: error.retryAfter });
    }
    request.error.publish(message);
    this.#end(callHandler);
  }

  #end(callHandler: () => void): void {
    this.#over = true;
    this.#publishLastMessages();
    request.asyncStart.runStores(this.message, () => {
      try {
        callHandler();
      } finally {
        request.asyncEnd.publish(this.message);
      }
    });
  }

  /** The splitter holds the last message back until another begins, or the request ends. */
  #publishLastMessages(): void {
    if (!stderr.hasSubscribers) return;
    const messages = this.#splitter.end();
    if (messages.length > 0) stderr.publish({ request: this.message, chunk: NOTHING, messages });
  }
}

/** The message of a request that is published; null: it is not. */
export function messageOf(handler: DispatchHandler): RequestMessage | null {
  return handler instanceof TracingHandler ? handler.message : null;
}

/** The request waits behind `waiting` others, itself included. */
export function publishQueued(job: TracedJob, waiting: number): void {
  const { message } = job.caller;
  if (message !== null && queued.hasSubscribers) queued.publish({ request: message, queued: waiting });
}

/** The request goes to this server. */
export function traceServer(job: TracedJob, target: Target): void {
  const { message } = job.caller;
  if (message !== null) Object.assign(message, serverAddress(target));
}

/** Opens a connection for the request, which may be in the turn of another one that has just made room: listeners hear of it in its own context. */
export function traceConnect<T>(job: TracedJob, target: Target, connect: () => Promise<T>): Promise<T> {
  traceServer(job, target);
  if (!hasSubscribers(connecting)) return connect();
  const message: ConnectMessage = { ...serverAddress(target), request: job.caller.message };
  return job.caller.runInAsyncScope(() => connecting.tracePromise(connect, message));
}

/** The job has failed on its server; `decide` says whether it goes on. */
export function traceRetry<J extends TracedJob>(
  job: J,
  error: unknown,
  decide: { onFailure(job: J, error: unknown): boolean },
): boolean {
  const { message } = job.caller;
  if (message === null || !retry.hasSubscribers) return decide.onFailure(job, error);
  // Read before the decision: after it, the request may be on its way to another server.
  const { serverAddress, serverPort } = message;
  const { attempts } = job;
  const isProof = job.exchange?.restsOnBody !== true;
  const retried = decide.onFailure(job, error);
  if (retried && !job.over && error instanceof FcgiError) {
    const { phase, hint } = error;
    const executed = isProof || error.executed !== 'no' ? error.executed : 'unknown';
    const seen = { serverAddress, serverPort, attempts, executed, phase, hint, error };
    const told: RequestRetry = { request: message, ...seen };
    job.caller.runInAsyncScope(() => retry.publish(told));
  }
  return retried;
}

/** `now`: by the clock of `openedAt`, ms. */
export function publishClosed(
  target: Target,
  reason: CloseReason,
  { requests, openedAt }: { readonly requests: number; readonly openedAt: number },
  now: number,
): void {
  if (!closed.hasSubscribers) return;
  closed.publish({ ...serverAddress(target), reason, requests, age: now - openedAt });
}

/** A server of an Upstream is in another state. */
export function publishState(target: Target, now: string, previous: string, why: string): void {
  if (!state.hasSubscribers) return;
  state.publish({ ...serverAddress(target), state: now, previous, why });
}

function hasAnySubscriber(): boolean {
  return (
    hasSubscribers(request) ||
    hasSubscribers(connecting) ||
    queued.hasSubscribers ||
    headersReceived.hasSubscribers ||
    retry.hasSubscribers ||
    stderr.hasSubscribers ||
    refused.hasSubscribers
  );
}

type Traced = TracingChannel<unknown, RequestMessage> | TracingChannel<unknown, ConnectMessage>;

/** As TracingChannel.hasSubscribers, which not every runtime has. */
function hasSubscribers(traced: Traced): boolean {
  const { start, end, asyncStart, asyncEnd, error } = traced;
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

function isRefusal(error: unknown): error is FcgiError {
  return (
    error instanceof FcgiError &&
    (error.code === 'FCGI_ERR_QUEUE_FULL' || error.code === 'FCGI_ERR_QUEUE_OVERLOAD')
  );
}
