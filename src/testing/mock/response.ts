/** `request()` of the mock: a promise of the head, and a Readable. */
import { addAbortSignal, Readable } from 'node:stream';
import { isError } from '../../errors.ts';
import type {
  MockController,
  MockEnded,
  MockHandler,
  MockHeaders,
  MockResponse,
  MockResponseBody,
} from './types.ts';

export class MockResponder implements MockHandler {
  readonly response: Promise<MockResponse>;
  #resolve: (response: MockResponse) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #body: StreamedBody | null = null;
  #end: (ended: MockEnded) => void = () => {};
  #cutShort: (error: unknown) => void = () => {};

  constructor() {
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
    this.#resolve({ statusCode, statusText, headers, rawHeaders: controller.rawHeaders, body, ended });
  }

  onResponseData(controller: MockController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(_controller: MockController, ended: MockEnded): void {
    this.#body?.push(null);
    this.#end(ended);
  }

  onResponseError(_controller: MockController, error: unknown): void {
    this.#reject(error);
    this.#cutShort(error);
    this.#body?.destroy(isError(error) ? error : new Error(String(error), { cause: error }));
  }
}

class StreamedBody extends Readable implements MockResponseBody {
  readonly #controller: MockController;
  readonly #type: string;

  constructor(controller: MockController, type: string) {
    super();
    this.#controller = controller;
    this.#type = type;
    // A body that nobody reads has nobody to tell, and must not end the process for that.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#controller.abort(error ?? undefined);
    callback(error);
  }

  async bytes(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.bytes()).buffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.#type });
  }

  get bodyUsed(): boolean {
    return this.readableDidRead;
  }

  async dump({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<null> {
    if (this.destroyed) return null;
    if (signal) addAbortSignal(signal, this);
    await this.bytes().catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    });
    return null;
  }
}
