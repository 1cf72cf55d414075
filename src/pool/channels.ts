/**
 * Tells node:diagnostics_channel what becomes of requests and connections (names and messages: connection/channels.ts).
 * Where nobody listens, a request costs a look at each channel.
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
import { isRequest } from './request/validate.ts';

/** A channel, with the type of what is told on it. */
interface Point<T> {
  readonly hasSubscribers: boolean;
  publish(message: T): void;
}

const request: TracingChannel<unknown, RequestMessage> = tracingChannel(CHANNELS.request);
const connecting: TracingChannel<unknown, ConnectMessage> = tracingChannel(CHANNELS.connect);
const queued: Point<RequestQueued> = channel(CHANNELS.queued);
const headed: Point<RequestHeaders> = channel(CHANNELS.headers);
const retry: Point<RequestRetry> = channel(CHANNELS.retry);
const stderr: Point<RequestStderr> = channel(CHANNELS.stderr);
const refused: Point<RequestRefused> = channel(CHANNELS.refused);
const closed: Point<ConnectionClosed> = channel(CHANNELS.connectionClosed);
const state: Point<ServerState> = channel(CHANNELS.serverState);

const NOTHING = new Uint8Array(0);

/** A job, as far as it is told of. */
interface Told {
  readonly caller: { readonly message: RequestMessage | null };
  readonly attempts: number;
  readonly over: boolean;
}

type DispatcherOnly = Pick<Dispatcher, 'dispatch'>;

/** Dispatches a request, and tells of it where somebody listens as it begins. `dispatcher`: what the caller has of `to`. */
export function dispatchTold(
  dispatcher: object,
  to: DispatcherOnly,
  given: DispatchRequest,
  handler: DispatchHandler,
): void {
  // What is no request is told to its handler by dispatch itself.
  if (!isListened() || !isRequest(given, handler)) {
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
  const told = new ToldHandler(handler, message);
  const onStderr = (chunk: Uint8Array): void => {
    told.onStderr(chunk);
    given.onStderr?.(chunk);
  };
  request.start.runStores(message, () => {
    to.dispatch({ ...given, params: message.params, onStderr }, told);
    request.end.publish(message);
  });
}

/** The caller's handler, and the message that says what it is told. */
export class ToldHandler implements DispatchHandler {
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
    if (headed.hasSubscribers) {
      headed.publish({ request: message, statusCode, headers, rawHeaders: controller.rawHeaders });
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
    const tell = (): void => this.#handler.onResponseError(controller, error);
    // Its own onResponseEnd has thrown this: the request has ended well before.
    if (this.#over) {
      tell();
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
    this.#end(tell);
  }

  #end(tell: () => void): void {
    this.#over = true;
    this.#tellLastMessages();
    request.asyncStart.runStores(this.message, () => {
      try {
        tell();
      } finally {
        request.asyncEnd.publish(this.message);
      }
    });
  }

  /** The end of a message is only known by the next one, or now. */
  #tellLastMessages(): void {
    if (!stderr.hasSubscribers) return;
    const messages = this.#splitter.end();
    if (messages.length > 0) stderr.publish({ request: this.message, chunk: NOTHING, messages });
  }
}

/** Of a handler that tells, its message. */
export function messageOf(handler: DispatchHandler): RequestMessage | null {
  return handler instanceof ToldHandler ? handler.message : null;
}

/** The request waits behind `waiting` others, itself included. */
export function tellQueued(job: Told, waiting: number): void {
  const { message } = job.caller;
  if (message !== null && queued.hasSubscribers) queued.publish({ request: message, queued: waiting });
}

/** The request goes to this server. */
export function tellServer(job: Told, target: Target): void {
  const { message } = job.caller;
  if (message !== null) Object.assign(message, serverAddress(target));
}

/** Opens a connection for the request. */
export function tellConnect<T>(job: Told, target: Target, connect: () => Promise<T>): Promise<T> {
  tellServer(job, target);
  if (!hasSubscribers(connecting)) return connect();
  return connecting.tracePromise(connect, { ...serverAddress(target), request: job.caller.message });
}

/** The job has failed on its server; `decide` says whether it goes on. */
export function tellRetry<J extends Told>(
  job: J,
  error: unknown,
  decide: { onFailure(job: J, error: unknown): boolean },
): boolean {
  const { message } = job.caller;
  if (message === null || !retry.hasSubscribers) return decide.onFailure(job, error);
  // As it is now: by the time it was decided, it may be on its way to another one.
  const { serverAddress, serverPort } = message;
  const { attempts } = job;
  const again = decide.onFailure(job, error);
  if (again && !job.over && error instanceof FcgiError) {
    const { executed, phase, hint } = error;
    retry.publish({
      request: message,
      serverAddress,
      serverPort,
      attempts,
      executed,
      phase,
      hint,
      error,
    });
  }
  return again;
}

/** `now`: by the clock of `openedAt`, ms. */
export function tellClosed(
  target: Target,
  reason: CloseReason,
  { requests, openedAt }: { readonly requests: number; readonly openedAt: number },
  now: number,
): void {
  if (!closed.hasSubscribers) return;
  closed.publish({ ...serverAddress(target), reason, requests, age: now - openedAt });
}

/** A server of an Upstream is in another state. */
export function tellState(target: Target, now: string, previous: string, why: string): void {
  if (!state.hasSubscribers) return;
  state.publish({ ...serverAddress(target), state: now, previous, why });
}

function isListened(): boolean {
  return (
    hasSubscribers(request) ||
    hasSubscribers(connecting) ||
    queued.hasSubscribers ||
    headed.hasSubscribers ||
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
