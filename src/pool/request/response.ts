/** `request()` for any Dispatcher: a promise of the head, and a Readable, on top of `dispatch()`. */
import { Readable } from 'node:stream';
import type {
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  FcgiResponse,
  ResponseBody,
  ResponseHeaders,
} from '../dispatcher.ts';

/** Bytes that are taken from the server before anybody reads the body. */
const AHEAD = 64 * 1024;

export function requestBy(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  request: DispatchRequest,
): Promise<FcgiResponse> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Responder(resolve, reject));
  });
}

class Responder implements DispatchHandler {
  readonly #resolve: (response: FcgiResponse) => void;
  readonly #reject: (error: unknown) => void;
  #response: StreamedResponse | null = null;

  constructor(resolve: (response: FcgiResponse) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
    statusText: string,
  ): void {
    this.#response = new StreamedResponse(controller, statusCode, statusText, headers);
    this.#resolve(this.#response);
  }

  onResponseData(_controller: DispatchController, chunk: Buffer): void {
    this.#response?.body.accept(chunk);
  }

  onResponseEnd(_controller: DispatchController, ended: Ended): void {
    this.#response?.finish(ended);
  }

  onResponseError(_controller: DispatchController, error: unknown): void {
    if (this.#response === null) this.#reject(error);
    else this.#response.fail(error);
  }
}

class StreamedResponse implements FcgiResponse {
  readonly statusCode: number;
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Body;
  #ended: Ended | null = null;
  #error: { reason: unknown } | null = null;
  #promise: Promise<Ended> | null = null;
  #settle: (() => void) | null = null;

  constructor(
    controller: DispatchController,
    statusCode: number,
    statusText: string,
    headers: ResponseHeaders,
  ) {
    this.statusCode = statusCode;
    this.statusText = statusText;
    this.headers = headers;
    this.rawHeaders = controller.rawHeaders;
    this.body = new Body(controller);
  }

  /** Made when it is asked for: most callers do not, and a rejection that nobody looks at would end the process. */
  get ended(): Promise<Ended> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#settle = (): void => {
        if (this.#ended) resolve(this.#ended);
        else if (this.#error) reject(this.#error.reason);
      };
      this.#settle();
    });
    return this.#promise;
  }

  finish(ended: Ended): void {
    this.#ended = ended;
    this.body.finish();
    this.#settle?.();
  }

  fail(error: unknown): void {
    this.#error = { reason: error };
    this.body.cutShort(error);
    this.#promise?.catch(() => undefined);
    this.#settle?.();
  }
}

/**
 * Holds what comes until somebody wants it: as a whole (`text`, `json`, `bytes`: then nothing of the machinery of
 * streams is needed) or as a stream.
 */
class Body extends Readable implements ResponseBody {
  readonly #controller: DispatchController;
  /** Null once it is read as a stream. */
  #held: Buffer[] | null = [];
  #heldLength = 0;
  #complete = false;
  #whole: { resolve: (bytes: Buffer) => void; reject: (error: unknown) => void } | null = null;
  #taken = false;

  constructor(controller: DispatchController) {
    super({ highWaterMark: AHEAD });
    this.#controller = controller;
  }

  accept(chunk: Buffer): void {
    if (this.#held === null) {
      if (!this.push(chunk)) this.#controller.pause();
      return;
    }
    this.#held.push(chunk);
    this.#heldLength += chunk.length;
    if (this.#whole === null && this.#heldLength >= AHEAD) this.#controller.pause();
  }

  finish(): void {
    this.#complete = true;
    if (this.#held === null) this.push(null);
    else if (this.#whole !== null) this.#deliver();
  }

  cutShort(error: unknown): void {
    this.#complete = true;
    if (this.#whole !== null) {
      this.#whole.reject(error);
      return;
    }
    // A body that nobody reads has nobody to tell, and must not end the process for that.
    if (this.listenerCount('error') === 0) this.on('error', () => undefined);
    this.destroy(error instanceof Error ? error : new Error(String(error), { cause: error }));
  }

  override _read(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) {
      for (const chunk of held) this.push(chunk);
      if (this.#complete) this.push(null);
    }
    this.#controller.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#complete) this.#controller.abort(error ?? undefined);
    this.#held = null;
    callback(error);
  }

  async text(): Promise<string> {
    return (await this.#all()).toString('utf8');
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    return this.#all();
  }

  #all(): Promise<Buffer> {
    if (this.#taken || this.#held === null) {
      return Promise.reject(new TypeError('the body is being read already, or has been'));
    }
    if (this.destroyed) return Promise.reject(this.errored ?? new TypeError('the body was destroyed'));
    this.#taken = true;
    return new Promise((resolve, reject) => {
      this.#whole = { resolve, reject };
      if (this.#complete) this.#deliver();
      else this.#controller.resume();
    });
  }

  #deliver(): void {
    const held = this.#held ?? [];
    const [first] = held;
    this.#held = [];
    this.#whole?.resolve(held.length === 1 && first !== undefined ? first : Buffer.concat(held));
  }
}
