/** A part of an open file as a stream. */
import { close, read } from 'node:fs';
import { Readable } from 'node:stream';

/** Bytes to read at a time. */
const step = 65_536;

/**
 * Errors where the file has become shorter: the client was promised a length, and must not take less for the whole. Closes
 * the descriptor, also where nobody reads. `first` and `last`: bytes, both included.
 */
export class FilePart extends Readable {
  readonly #descriptor: number;
  readonly #end: number;
  #at: number;
  #isReading = false;
  #onIdle: (() => void) | null = null;
  readonly #path: string;
  #tell: ((error: Error) => void) | null = null;

  /** `path`: for the log. */
  constructor(descriptor: number, path: string, first: number, last: number) {
    super({ highWaterMark: step });
    this.#descriptor = descriptor;
    this.#path = path;
    this.#at = first;
    this.#end = last + 1;
  }

  /** `tell` hears why the file could not be read to its end: its client sees no more than a connection that breaks off. */
  whenBroken(tell: (error: Error) => void): this {
    this.#tell = tell;
    return this;
  }

  override _read(): void {
    const size = Math.min(step, this.#end - this.#at);
    if (size === 0) {
      this.push(null);
      return;
    }
    this.#isReading = true;
    read(this.#descriptor, Buffer.allocUnsafeSlow(size), 0, size, this.#at, (error, bytes, buffer) => {
      this.#isReading = false;
      if (this.#onIdle) this.#onIdle();
      else if (error) this.#break(error);
      else if (bytes === 0) this.#break(new Error('the file became shorter'));
      else {
        this.#at += bytes;
        this.push(buffer.subarray(0, bytes));
      }
    });
  }

  #break(cause: Error): void {
    const error = new Error(`${this.#path} was cut short while it was sent: ${cause.message}`, { cause });
    this.#tell?.(error);
    this.destroy(error);
  }

  /** Closed while it is being read, its number might be another file's before the read begins. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const release = (): void => close(this.#descriptor, () => done(error));
    if (this.#isReading) this.#onIdle = release;
    else release();
  }
}
