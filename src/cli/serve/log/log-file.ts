/** A log in a file that can be moved away and opened anew, as logrotate does it. */
import { closeSync, openSync, write } from 'node:fs';
import { Writable } from 'node:stream';

export class LogFile extends Writable {
  readonly #path: string;
  readonly #complain: (error: Error) => void;
  #failing = false;
  #descriptor: number;
  #writing: number | null = null;

  /** `complain` is called where a write fails after one that did not. @throws where the file cannot be opened. */
  constructor(path: string, complain: (error: Error) => void) {
    super();
    this.#path = path;
    this.#complain = complain;
    this.#descriptor = openSync(path, 'a', 0o640);
  }

  /** What is written from now on goes to the file that has the name now. @throws where it cannot be opened: the old one stays. */
  reopen(): void {
    const old = this.#descriptor;
    this.#descriptor = openSync(this.#path, 'a', 0o640);
    if (this.#writing !== old) closeSync(old);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const descriptor = this.#descriptor;
    this.#writing = descriptor;
    const put = (from: number): void => {
      write(descriptor, chunk, from, chunk.length - from, null, (error, written) => {
        if (!error && from + written < chunk.length) {
          put(from + written);
          return;
        }
        this.#writing = null;
        if (descriptor !== this.#descriptor) closeSync(descriptor);
        // a full disk costs lines, not the service
        if (error && !this.#failing) this.#complain(error);
        this.#failing = error !== null;
        callback();
      });
    };
    put(0);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    closeSync(this.#descriptor);
    callback(error);
  }
}
