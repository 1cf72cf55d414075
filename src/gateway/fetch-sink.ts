/** Sends a Reply as a `Response` whose body streams. */
import { ownAnswer, type ReplyHead } from './edge.ts';
import type { Reply, Sink } from './reply.ts';

/** Bytes the body holds for a reader that is slow, before PHP is held back. */
const highWaterMark = 65_536;

export class FetchSink implements Sink {
  /** Resolves with the head. */
  readonly response: Promise<Response>;
  #resolve: (response: Response) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;
  #reply: Reply | null = null;
  #isSettled = false;

  constructor() {
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  attach(reply: Reply): void {
    this.#reply = reply;
  }

  get isFresh(): boolean {
    return !this.#isSettled;
  }

  start({ statusCode, statusMessage, fields, hasBody }: ReplyHead): void {
    const headers = new Headers();
    for (let i = 0; i + 1 < fields.length; i += 2) headers.append(fields[i] ?? '', fields[i + 1] ?? '');
    // throws for a status beyond 599, which a Response cannot have: the reply fails with that
    const response = new Response(hasBody ? this.#stream() : null, {
      status: statusCode,
      statusText: statusMessage,
      headers,
    });
    this.#isSettled = true;
    this.#resolve(response);
  }

  write(chunk: Buffer): boolean {
    this.#body?.enqueue(chunk);
    return this.#body === null || (this.#body.desiredSize ?? 0) > 0;
  }

  end(): void {
    this.#body?.close();
  }

  cut(error: Error): void {
    this.#body?.error(error);
  }

  answer(statusCode: number, extra?: Readonly<Record<string, string>>): void {
    const { headers, body } = ownAnswer(statusCode, extra);
    this.#isSettled = true;
    this.#resolve(new Response(body, { status: statusCode, headers }));
  }

  /** Who asked has gone: the promise, or the body, fails with the reason. */
  abandon(reason: unknown): void {
    if (this.#isSettled) this.#body?.error(reason);
    else this.#reject(reason);
    this.#isSettled = true;
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        pull: () => this.#reply?.resume(),
        cancel: () => {
          this.#body = null;
          this.#reply?.leave();
        },
      },
      { highWaterMark, size: (chunk) => chunk.byteLength },
    );
  }
}
