/** The body of a response, for `request()`: a Readable, which can be had as a whole as well. */
import { addAbortSignal, finished, Readable } from 'node:stream';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { LONGEST_DELAY } from '../../arguments.ts';
import { systemTimers } from '../../connection/clock.ts';
import { isError, TimeoutError } from '../../errors.ts';
import type { DispatchController, DumpOptions, ResponseBody } from '../dispatcher.ts';

/** Bytes that are taken from the server before anybody reads the body. */
const AHEAD = 64 * 1024;

/** Keeps nothing from one whole text to the next; to make one takes as long as to read a page. */
const utf8 = new TextDecoder();

const NOBODY_READS =
  'nobody reads the body: read it (`text()`, `for await`, `pipe`), or give it up with `body.destroy()`. ' +
  'As long as it is not read, it holds a PHP worker';

/**
 * Holds what comes until somebody wants it: as a whole (`text`, `json`, `bytes`: then nothing of the machinery of
 * streams is needed) or as a stream.
 */
export class StreamedBody extends Readable implements ResponseBody {
  readonly #controller: DispatchController;
  /** ms; 0: none. */
  readonly #bodyTimeout: number;
  readonly #type: string;
  /** Null once it is read as a stream. */
  #held: Buffer[] | null = [];
  #heldLength = 0;
  #complete = false;
  #whole: { resolve: (bytes: Buffer) => void; reject: (error: unknown) => void } | null = null;
  #taken = false;
  /** As a stream, behind text() and its like: it ends without a byte, once they have theirs. */
  #asked = false;
  #failure: { readonly reason: unknown } | null = null;
  /** ms, by systemTimers.now(), since when we take no more; 0: we do. */
  #fullSince = 0;
  #unread: NodeJS.Timeout | null = null;

  /** `type`: the Content-Type, or ''. */
  constructor(controller: DispatchController, bodyTimeout: number, type: string) {
    super({ highWaterMark: AHEAD });
    this.#controller = controller;
    this.#bodyTimeout = bodyTimeout;
    this.#type = type;
  }

  accept(chunk: Buffer): void {
    if (this.#held === null) {
      if (!this.push(chunk)) this.#pause();
      return;
    }
    this.#held.push(chunk);
    this.#heldLength += chunk.length;
    if (this.#whole === null && this.#heldLength >= AHEAD) this.#pause();
  }

  finish(): void {
    this.#end();
    if (this.#held === null) this.push(null);
    else if (this.#whole !== null) this.#deliver();
    if (this.#asked) this.push(null);
  }

  cutShort(reason: unknown): void {
    this.#end();
    this.#failure = { reason };
    if (this.#whole !== null) {
      this.#whole.reject(reason);
      if (!this.#asked) return;
    }
    // A body that nobody reads has nobody to tell, and must not end the process for that.
    if (this.listenerCount('error') === 0) this.on('error', () => undefined);
    this.destroy(isError(reason) ? reason : new Error(String(reason), { cause: reason }));
  }

  override _read(): void {
    if (this.#taken) {
      this.#asked = true;
      if (this.#complete) this.push(null);
      return;
    }
    const held = this.#held;
    this.#held = null;
    if (held !== null) {
      for (const chunk of held) this.push(chunk);
      if (this.#complete) this.push(null);
    }
    this.#resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#complete) this.#controller.abort(error ?? undefined);
    const unread = this.#held !== null;
    this.#end();
    this.#held = null;
    // It may fail in the turn in which the head has come: whoever waits for that has had no time to listen.
    if (unread && error !== null) setImmediate(callback, error);
    else callback(error);
  }

  /** As UTF-8. A byte order mark is left out, as fetch() does. */
  async text(): Promise<string> {
    return utf8.decode(await this.#all());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    return this.#all();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    // a copy: a Buffer may be a part of memory that others use
    return new Uint8Array(await this.#all()).buffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.#type });
  }

  get bodyUsed(): boolean {
    return this.#taken || this.readableDidRead;
  }

  async dump({ limit = 131_072, signal }: DumpOptions = {}): Promise<null> {
    if (this.#taken) return null;
    if (this.#failure !== null) throw this.#failure.reason;
    if (this.destroyed) return null;
    if (signal) addAbortSignal(signal, this);
    let left = limit;
    try {
      for await (const chunk of this) {
        left -= chunk.length;
        if (left >= 0) continue;
        this.#taken = true;
        // which destroys the stream
        break;
      }
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
    return null;
  }

  #all(): Promise<Buffer> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason);
    if (this.destroyed && !this.#taken && this.#held === null && !this.readableDidRead) {
      return Promise.reject(this.errored ?? new TypeError('the body was destroyed'));
    }
    if (this.readableFlowing === true && !this.readableDidRead && !this.#taken) return this.#alongside();
    if (this.#taken || this.#held === null || this.listenerCount('readable') > 0) {
      return Promise.reject(new TypeError('the body is being read already, or has been'));
    }
    this.#taken = true;
    return new Promise((resolve, reject) => {
      this.#whole = { resolve, reject };
      if (this.#complete) this.#deliver();
      else this.#resume();
    });
  }

  /** Somebody listens to the stream (`on('data')`, `pipe`), and nothing is gone yet: both have all of it. */
  #alongside(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      this.on('data', (chunk: Buffer | string) => {
        chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, this.readableEncoding ?? 'utf8') : chunk);
      });
      finished(this, (error) => (error ? reject(error) : resolve(Buffer.concat(chunks))));
    });
  }

  #deliver(): void {
    const held = this.#held ?? [];
    const [first] = held;
    this.#held = [];
    this.#whole?.resolve(held.length === 1 && first !== undefined ? first : Buffer.concat(held));
  }

  #end(): void {
    this.#complete = true;
    if (this.#unread !== null) clearTimeout(this.#unread);
    this.#unread = null;
  }

  #pause(): void {
    this.#controller.pause();
    this.#fullSince = systemTimers.now();
    if (this.#bodyTimeout > 0) this.#unread ??= this.#lookAfter(this.#bodyTimeout);
  }

  #resume(): void {
    this.#fullSince = 0;
    this.#controller.resume();
  }

  #lookAfter(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), Math.min(delay, LONGEST_DELAY)).unref();
  }

  /** One timer, whatever number of pauses: it looks whether the latest is too long, and when to look again. */
  #look(): void {
    this.#unread = null;
    if (this.#complete || this.#fullSince === 0) return;
    const left = this.#fullSince + this.#bodyTimeout - systemTimers.now();
    if (left >= 1 || this.#hasReader()) {
      this.#unread = this.#lookAfter(left >= 1 ? left : this.#bodyTimeout);
      return;
    }
    const error = new TimeoutError(
      'FCGI_ERR_BODY_TIMEOUT',
      `nobody has read the body for ${this.#bodyTimeout} ms`,
    );
    this.#controller.abort(error.learn({ hint: NOBODY_READS }));
  }

  /** Somebody is there who may want more, if slowly: a pipe, a loop. The longer pause is his own affair. */
  #hasReader(): boolean {
    return this.listenerCount('data') > 0 || this.listenerCount('readable') > 0;
  }
}
