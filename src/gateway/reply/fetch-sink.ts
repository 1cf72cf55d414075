/** Sends a Reply as a `Response` whose body streams. */
import { Readable } from 'node:stream';
import { TimeoutError } from '../../errors.ts';
import type { OutgoingFile } from './handed-file.ts';
import type { OwnAnswer, ReplyHead } from './head.ts';
import { asciiValue } from './in-ascii.ts';
import type { Sink, SinkOwner } from './sink.ts';
import { nobodyReads, nothingRead, webFile } from './web-file.ts';

/** Bytes the body holds for a reader that is slow, before PHP is held back. */
const highWaterMark = 65_536;

/** nginx's status for its log, where the client closed the connection before it had an answer. */
const clientLeft = 499;

export class FetchSink implements Sink {
  /** Resolves with the head. */
  readonly response: Promise<Response>;
  #resolve: (response: Response) => void = () => {};
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;
  #sendTimer: NodeJS.Timeout | null = null;
  /** Bytes of the body so far. */
  #given = 0;
  readonly #headers: Headers;
  readonly #sendTimeout: number;
  #reply: SinkOwner | null = null;
  #isSettled = false;
  /** PHP has sent all, the reader not taken all. */
  #isEnding = false;
  #onTaken: (() => void)[] | null = null;
  #onOver: (() => void) | null = null;

  /** Of the request; `sendTimeout`: ms, 0: none. */
  constructor(headers: Headers, sendTimeout: number) {
    this.#headers = headers;
    this.#sendTimeout = sendTimeout;
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  attach(reply: SinkOwner): void {
    this.#reply = reply;
  }

  get nothingSent(): boolean {
    return !this.#isSettled;
  }

  start({ statusCode, statusMessage, fields, hasBody }: ReplyHead): void {
    // not left to the constructor: servers put a Response of their own in its place, which does not look
    if (statusCode > 599) throw new RangeError(`A Response cannot have the status ${statusCode}`);
    this.#stream = hasBody ? this.#newStream() : null;
    const response = new Response(this.#stream, {
      status: statusCode,
      statusText: statusMessage,
      headers: headersOf(fields),
    });
    this.#isSettled = true;
    this.#resolve(response);
  }

  write(chunk: Buffer): boolean {
    this.#given += chunk.length;
    this.#body?.enqueue(chunk);
    return this.#body === null || (this.#body.desiredSize ?? 0) > 0;
  }

  whenTaken(callback: () => void): void {
    this.#onTaken = [...(this.#onTaken ?? []), callback];
  }

  /** Calls back when nobody waits for anything any more, neither who asked nor who answers. */
  whenOver(callback: () => void): void {
    this.#onOver = callback;
  }

  /**
   * Only the server knows its client, and some do not hear that one has left (of requests in line behind another, node does not tell).
   * A body that has no reader by then never gets one: somebody has answered in its place, or lost it.
   */
  startSendTimeout(timeout: number): void {
    this.#sendTimer ??= this.#expectReading(timeout);
  }

  #expectReading(timeout: number): NodeJS.Timeout {
    const before = this.#taken;
    const look = (): void => {
      this.#sendTimer = null;
      // the next piece that has to wait begins anew
      if (this.#isEmpty) return;
      if (this.#taken === before) this.#giveUp(timeout);
      else this.startSendTimeout(timeout);
    };
    return setTimeout(look, timeout).unref();
  }

  get #taken(): number {
    return this.#given - highWaterMark + (this.#body?.desiredSize ?? 0);
  }

  end(): void {
    // closed at once, a stream does not say when the rest of it has been read
    if (this.#onTaken && !this.#isEmpty) this.#isEnding = true;
    else this.#close();
  }

  #giveUp(timeout: number): void {
    if (this.#stream?.locked) {
      this.#reply?.leave();
      this.cut(new Error(nothingRead(timeout)));
      return;
    }
    const message = nobodyReads(timeout);
    const hint =
      'a middleware has put another response in its place (a limit of time, say): it holds a PHP worker until its body is cancelled, or the request is aborted';
    const error = new TimeoutError('FCGI_ERR_BODY_TIMEOUT', message, { facts: { hint } });
    this.#reply?.leave(error);
    this.cut(error);
  }

  cut(error: Error): void {
    this.#body?.error(error);
    this.#release();
  }

  file({ head, body }: OutgoingFile): void {
    const { statusCode, fields } = head;
    this.#isSettled = true;
    const content = body instanceof Readable ? webFile(body, this.#sendTimeout) : null;
    this.#resolve(new Response(content, { status: statusCode, headers: headersOf(fields) }));
    this.#release();
  }

  requestHeader(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined;
  }

  answer({ statusCode, headers, body }: OwnAnswer): void {
    this.#isSettled = true;
    // a copy of bytes, as a Response wants them in memory of its own
    const content = typeof body === 'string' ? body : Uint8Array.from(body);
    const response = new Response(content, { status: statusCode, headers });
    // what is left of a body that has stalled would hold the connection
    if (statusCode === 408) response.headers.set('Connection', 'close');
    this.#resolve(response);
    this.#release();
  }

  /**
   * Who asked has gone: the body fails with the reason. A promise that did would end a process whose server looks away. A server whose
   * client has left cancels the body behind the signal; one that finds an error there first writes it to the console (Hono's, Deno's).
   */
  abandon(reason: unknown): void {
    this.#release();
    if (this.#isSettled) queueMicrotask(() => this.#body?.error(reason));
    else this.#resolve(new Response(null, { status: clientLeft }));
    this.#isSettled = true;
  }

  get #isEmpty(): boolean {
    return this.#body === null || this.#body.desiredSize === highWaterMark;
  }

  #close(): void {
    this.#body?.close();
    this.#release();
  }

  #release(): void {
    if (this.#sendTimer) clearTimeout(this.#sendTimer);
    for (const call of this.#onTaken ?? []) call();
    this.#onOver?.();
  }

  #newStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        pull: () => {
          if (!this.#isEnding) this.#reply?.resume();
          else if (this.#isEmpty) this.#close();
        },
        cancel: () => {
          this.#body = null;
          this.#release();
          this.#reply?.leave();
        },
      },
      { highWaterMark, size: (chunk) => chunk.byteLength },
    );
  }
}

function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    headers.append(name, asciiValue(name, fields[i + 1] ?? ''));
  }
  return headers;
}
