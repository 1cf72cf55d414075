/** `request()` of the mock: a promise of the head, and a Readable. */
import { addAbortSignal, finished, Readable } from 'node:stream';
import { isError } from '../../errors.ts';
import { BodyLength } from './body-length.ts';
import type {
  MockController,
  MockDispatchRequest,
  MockEnded,
  MockHandler,
  MockHeaders,
  MockResponse,
  MockResponseBody,
} from './types.ts';

export class MockResponder implements MockHandler {
  readonly response: Promise<MockResponse>;
  readonly #request: MockDispatchRequest;
  #resolve: (response: MockResponse) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #body: StreamedBody | null = null;
  #length: BodyLength | null = null;
  #end: (ended: MockEnded) => void = () => {};
  #cutShort: (error: unknown) => void = () => {};

  constructor(request: MockDispatchRequest) {
    this.#request = request;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onResponseStart(
    controller: MockController,
    statusCode: number,
    headers: MockHeaders,
    statusText: string,
  ): void {
    const body = new StreamedBody(controller, String(headers['content-type'] ?? ''));
    const ended = new Promise<MockEnded>((resolve, reject) => {
      this.#end = resolve;
      this.#cutShort = reject;
    });
    // Most callers do not look at `ended`: its rejection must not end the process.
    ended.catch(() => undefined);
    this.#body = body;
    this.#length = new BodyLength(this.#request, statusCode, headers['content-length']);
    this.#resolve({ statusCode, statusText, headers, rawHeaders: controller.rawHeaders, body, ended });
  }

  onResponseData(controller: MockController, chunk: Buffer): void {
    const fitting = this.#length?.take(chunk) ?? chunk;
    if (fitting.length > 0 && this.#body?.push(fitting) === false) controller.pause();
  }

  onResponseEnd(controller: MockController, ended: MockEnded): void {
    const wrong = this.#length?.check(ended) ?? null;
    if (wrong !== null) {
      this.onResponseError(controller, wrong);
      return;
    }
    this.#body?.push(null);
    this.#end(ended);
  }

  onResponseError(_controller: MockController, error: unknown): void {
    this.#reject(error);
    this.#cutShort(error);
    this.#body?.cutShort(error);
  }
}

class StreamedBody extends Readable implements MockResponseBody {
  readonly #controller: MockController;
  readonly #type: string;
  #failure: { readonly reason: unknown } | null = null;
  /** As a whole, or given up. */
  #taken = false;

  constructor(controller: MockController, type: string) {
    super();
    this.#controller = controller;
    this.#type = type;
  }

  cutShort(reason: unknown): void {
    this.#failure ??= { reason };
    // A body that nobody reads has nobody to tell, and must not end the process for that. Who destroys it himself listens.
    if (this.listenerCount('error') === 0) this.on('error', () => undefined);
    this.destroy(isError(reason) ? reason : new Error(String(reason), { cause: reason }));
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#controller.abort(error ?? undefined);
    callback(error);
  }

  async bytes(): Promise<Buffer> {
    return this.#whole();
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#whole());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.#whole()).buffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.#type });
  }

  get bodyUsed(): boolean {
    return this.#taken || this.readableDidRead;
  }

  async dump({
    limit = 131_072,
    signal,
  }: {
    limit?: number | undefined;
    signal?: AbortSignal | undefined;
  } = {}): Promise<null> {
    if (this.#taken) return null;
    if (this.#failure !== null) throw this.#failure.reason;
    if (this.destroyed) return null;
    if (signal) addAbortSignal(signal, this);
    let left = limit;
    try {
      for await (const piece of this) {
        left -= piece.length;
        if (left >= 0) continue;
        this.#taken = true;
        break;
      }
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
    return null;
  }

  /** A second time, or behind somebody who reads the stream, there would be less of it, or nothing. */
  #whole(): Promise<Buffer> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason);
    if (this.bodyUsed || this.listenerCount('readable') > 0)
      return Promise.reject(new TypeError('the body is being read already, or has been'));
    if (this.destroyed) return Promise.reject(this.errored ?? new TypeError('the body was destroyed'));
    this.#taken = true;
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      this.on('data', (piece: Buffer | string) => {
        pieces.push(typeof piece === 'string' ? Buffer.from(piece, this.readableEncoding ?? 'utf8') : piece);
      });
      finished(this, (error) => {
        if (error) reject(this.#failure ? this.#failure.reason : error);
        else resolve(Buffer.concat(pieces));
      });
      // It may have been paused.
      this.resume();
    });
  }
}
