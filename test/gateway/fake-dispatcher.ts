/** A Dispatcher that a test plays: it says what PHP sends, and sees what the gateway asked for. */
import type {
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  FcgiResponse,
} from '../../src/pool/dispatcher.ts';

/** One request, answered by hand. */
export class FakeExchange implements DispatchController {
  readonly request: DispatchRequest;
  /** Resolves with the reason of abort(). */
  readonly gone: Promise<unknown>;
  paused = false;
  aborted = false;
  readonly facts = null;
  rawHeaders: string[] = [];
  readonly #handler: DispatchHandler;
  #over = false;
  #tellGone: (reason: unknown) => void = () => {};
  #tellResumed: () => void = () => {};

  constructor(request: DispatchRequest, handler: DispatchHandler) {
    this.request = request;
    this.#handler = handler;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    handler.onRequestStart?.(this);
  }

  /** As text: of each param. */
  get params(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.request.params).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : Buffer.from(value).toString('latin1'),
      ]),
    );
  }

  async body(): Promise<Buffer> {
    const { body } = this.request;
    if (body === null || body === undefined) return Buffer.alloc(0);
    if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#tellResumed();
  }

  resumed(): Promise<void> {
    return this.paused
      ? new Promise((resolve) => {
          this.#tellResumed = resolve;
        })
      : Promise.resolve();
  }

  abort(reason?: unknown): void {
    if (this.#over) return;
    this.aborted = true;
    this.fail(reason);
    this.#tellGone(reason);
  }

  head(statusCode: number, rawHeaders: string[] = [], statusMessage = ''): void {
    this.rawHeaders = rawHeaders;
    this.#call(() => this.#handler.onResponseStart(this, statusCode, {}, statusMessage));
  }

  data(chunk: string | Buffer): void {
    this.#call(() => this.#handler.onResponseData(this, Buffer.from(chunk)));
  }

  end(): void {
    if (this.#over) return;
    const ended: Ended = {
      appStatus: 0,
      reused: false,
      attempts: 1,
      server: 'unix:/fake',
      times: { queued: 0, connecting: 0, firstByte: 0, total: 0 },
      executed: 'yes',
      stderr: '',
      hint: '',
    };
    this.#call(() => this.#handler.onResponseEnd(this, ended));
    this.#over = true;
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onResponseError(this, error);
  }

  /** What a callback throws fails the request with it. */
  #call(callback: () => void): void {
    if (this.#over) return;
    try {
      callback();
    } catch (error) {
      this.fail(error);
    }
  }
}

export type Play = (exchange: FakeExchange) => void | Promise<void>;

export class FakeDispatcher implements Dispatcher {
  readonly exchanges: FakeExchange[] = [];
  readonly #play: Play;
  #tellNext: (exchange: FakeExchange) => void = () => {};

  /** Default: 200 with the body `ok`. */
  constructor(play: Play = answer(200, ['Content-Type', 'text/plain'], 'ok')) {
    this.#play = play;
  }

  dispatch(request: DispatchRequest, handler: DispatchHandler): void {
    const exchange = new FakeExchange(request, handler);
    this.exchanges.push(exchange);
    this.#tellNext(exchange);
    Promise.resolve(this.#play(exchange)).catch((error: unknown) => exchange.fail(error));
  }

  /** Resolves at the next request. */
  next(): Promise<FakeExchange> {
    return new Promise((resolve) => {
      this.#tellNext = resolve;
    });
  }

  /** Params of the only request. */
  get params(): Record<string, string> {
    const [only, ...more] = this.exchanges;
    if (!only || more.length > 0) throw new Error(`${this.exchanges.length} requests came, not one`);
    return only.params;
  }

  request(): Promise<FcgiResponse> {
    return Promise.reject(new Error('a gateway dispatches'));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  destroy(): Promise<void> {
    return Promise.resolve();
  }
  get stats(): never {
    throw new Error('a gateway does not count');
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

export function answer(statusCode: number, rawHeaders: string[], body = '', statusMessage = ''): Play {
  return (exchange) => {
    exchange.head(statusCode, rawHeaders, statusMessage);
    if (body !== '') exchange.data(body);
    exchange.end();
  };
}
