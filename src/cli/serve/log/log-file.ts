/** A log in a file that can be moved away and opened anew, as logrotate does it. */
import { closeSync, constants, openSync, write } from 'node:fs';
import { Writable } from 'node:stream';
import { errorCode } from '../../../errors.ts';

/** To a named pipe as well: opened to wait for its reader, or written to while it is full, it would stop the process. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Milliseconds: how long a pipe that is full is waited for, and how often it is tried. */
const FULL_LIMIT = 1000;
const TRY_AGAIN = 10;

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
    this.#descriptor = openSync(path, APPEND, 0o640);
  }

  /** What is written from now on goes to the file that has the name now. @throws where it cannot be opened: the old one stays. */
  reopen(): void {
    const old = this.#descriptor;
    this.#descriptor = openSync(this.#path, APPEND, 0o640);
    if (this.#writing !== old) closeSync(old);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const descriptor = this.#descriptor;
    this.#writing = descriptor;
    let tries = this.#failing ? 0 : FULL_LIMIT / TRY_AGAIN;
    const put = (from: number): void => {
      write(descriptor, chunk, from, chunk.length - from, null, (error, written) => {
        if (!error && from + written < chunk.length) {
          put(from + written);
          return;
        }
        if (errorCode(error) === 'EAGAIN' && tries-- > 0) {
          setTimeout(put, TRY_AGAIN, from);
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
