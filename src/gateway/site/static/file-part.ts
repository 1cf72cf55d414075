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

  constructor(descriptor: number, first: number, last: number) {
    super({ highWaterMark: step });
    this.#descriptor = descriptor;
    this.#at = first;
    this.#end = last + 1;
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
      else if (error) this.destroy(error);
      else if (bytes === 0) this.destroy(new Error('The file became shorter while it was sent'));
      else {
        this.#at += bytes;
        this.push(buffer.subarray(0, bytes));
      }
    });
  }

  /** Closed while it is being read, its number might be another file's before the read begins. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const release = (): void => close(this.#descriptor, () => done(error));
    if (this.#isReading) this.#onIdle = release;
    else release();
  }
}
