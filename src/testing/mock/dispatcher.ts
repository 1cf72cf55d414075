/**
 * A Dispatcher without a socket: for tests of what stands on one, an adapter or an application.
 * This folder: that dispatcher, which refuses, answers and fails as a Pool does.
 */
import {
  checkArgument,
  checkIsOptions,
  checkNames,
  checkNoCallback,
  isOptions,
  kindOf,
} from '../../arguments.ts';
import { ArgumentError, PoolError } from '../../errors.ts';
import { MockExchange } from './exchange.ts';
import { refusalOf } from './request.ts';
import { MockResponder } from './response.ts';
import { Signals } from './signals.ts';
import type { MockAnswer, MockDispatchRequest, MockHandler, MockResponse, RecordedRequest } from './types.ts';

/** The answer to every request, or a function that gives one; what it throws fails the request. */
export type MockScript = MockAnswer | ((request: RecordedRequest) => MockAnswer | Promise<MockAnswer>);

export interface MockOptions {
  /** Of the Pool that it stands for: a stream that is longer needs CONTENT_LENGTH. Default: 1,048,576. */
  readonly replayBuffer?: number | undefined;
}

/** Of Stats: how long requests took is not measured here. */
const nothingTimed = { count: 0, p50: 0, p99: 0 } as const;

const nothing: MockDispatchRequest = { params: {} };

/** No socket is ever closed; the reasons are those of a Pool. */
const noneClosed = {
  failed: 0,
  reset: 0,
  'server-closed': 0,
  recycled: 0,
  timeout: 0,
  aborted: 0,
  'protocol-error': 0,
  'trailing-bytes': 0,
  unanswered: 0,
  examined: 0,
  'body-unsent': 0,
  'body-unread': 0,
  'not-kept': 0,
  'asked-by-script': 0,
  keepalive: 0,
  'keepalive-requests': 0,
  'keepalive-time': 0,
  'keepalive-timeout': 0,
  yield: 0,
  'fresh-needed': 0,
  'pool-closed': 0,
} as const;

export interface MockStats {
  /** Requests that have not ended. */
  readonly connected: number;
  readonly busy: number;
  readonly idle: 0;
  readonly workers: null;
  readonly queued: 0;
  readonly queueAge: 0;
  /** Requests that ended well. */
  readonly served: number;
  readonly retried: 0;
  readonly refused: 0;
  readonly closed: Readonly<Record<keyof typeof noneClosed, number>>;
  readonly waiting: typeof nothingTimed;
  readonly running: typeof nothingTimed;
}

/**
 * Takes the place of a Pool or an Upstream. It publishes no channels (node:diagnostics_channel): those are a Pool's. Of what only
 * a connection shows its errors and `ended` say nothing: bytes and `requestsOnConnection` are 0, `hint` is ''.
 *
 * @example
 * const php = new MockDispatcher(({ params, text }) => ({
 *   statusCode: params.REQUEST_METHOD === 'POST' ? 201 : 200,
 *   headers: { 'Content-Type': 'text/plain' },
 *   body: `you sent ${text}`,
 * }));
 * server.on('request', createHandler(php, { root: '/srv/app' }));
 * // ... then look at php.requests
 */
export class MockDispatcher implements AsyncDisposable {
  /** What came, in the order in which the bodies had been read. */
  readonly requests: RecordedRequest[] = [];
  readonly #script: MockScript;
  readonly #replayBuffer: number;
  readonly #running: Set<MockExchange> = new Set();
  readonly #signals: Signals = new Signals();
  #served = 0;
  #closed = false;
  readonly #emptied: (() => void)[] = [];

  /** @throws ArgumentError FCGI_ERR_INVALID_ARG: neither an answer nor a function, or an option that cannot be. */
  constructor(script: MockScript = {}, options: MockOptions = {}) {
    if (typeof script !== 'function' && !isOptions(script)) {
      const message = `script must be an answer or a function that gives one, not ${kindOf(script)}`;
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'script', message);
    }
    checkIsOptions('options', options);
    checkNames(options, { replayBuffer: true }, 'a mock');
    const { replayBuffer = 1_048_576 } = options;
    const isSize = typeof replayBuffer === 'number' && Number.isFinite(replayBuffer) && replayBuffer >= 0;
    checkArgument('replayBuffer', replayBuffer, isSize, 'a number of bytes from 0');
    this.#script = script;
    this.#replayBuffer = replayBuffer;
  }

  /**
   * The callbacks of the response come after it has returned; what is wrong with the request is told before, as a Pool does.
   *
   * @throws ArgumentError FCGI_ERR_INVALID_ARG: a handler that nobody could tell of an error.
   */
  dispatch(request: MockDispatchRequest, handler: MockHandler): void {
    if (typeof handler?.onResponseError !== 'function') {
      const message = 'handler.onResponseError must be a function';
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'handler.onResponseError', message);
    }
    const exchange: MockExchange = new MockExchange(
      isOptions(request) ? request : nothing,
      handler,
      this.#signals,
      (well) => {
        if (well) this.#served += 1;
        this.#running.delete(exchange);
        if (this.#running.size > 0) return;
        for (const emptied of this.#emptied.splice(0)) emptied();
      },
    );
    const refusal = this.#closed
      ? { error: new PoolError('FCGI_ERR_CLOSED', 'the dispatcher is closed') }
      : refusalOf(request, handler);
    if (refusal) {
      exchange.fail(refusal.error);
      return;
    }
    this.#running.add(exchange);
    void exchange.run((recorded) => {
      this.requests.push(recorded);
      return typeof this.#script === 'function' ? this.#script(recorded) : this.#script;
    }, this.#replayBuffer);
  }

  /** Resolves with the head; rejects as onResponseError would be told. */
  request(request: MockDispatchRequest, callback?: undefined): Promise<MockResponse> {
    checkNoCallback('request', callback);
    const responder = new MockResponder(request);
    this.dispatch(request, responder);
    return responder.response;
  }

  /** Refuses requests from now on with FCGI_ERR_CLOSED; settles when the last has ended. */
  close(callback?: undefined): Promise<void> {
    checkNoCallback('close', callback);
    this.#closed = true;
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied.push(resolve);
    });
  }

  /** As close(), but fails what has not ended with `reason`; by default FCGI_ERR_DESTROYED. */
  destroy(reason?: Error, callback?: undefined): Promise<void> {
    checkNoCallback('destroy', callback ?? reason);
    const over = this.close();
    // An error for each: it is told what was seen of its own request.
    for (const exchange of this.#running)
      exchange.abort(reason ?? new PoolError('FCGI_ERR_DESTROYED', 'the dispatcher was destroyed'));
    return over;
  }

  get stats(): MockStats {
    const { size } = this.#running;
    return {
      connected: size,
      busy: size,
      idle: 0,
      workers: null,
      queued: 0,
      queueAge: 0,
      served: this.#served,
      retried: 0,
      refused: 0,
      closed: { ...noneClosed },
      waiting: { ...nothingTimed },
      running: { ...nothingTimed },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
