/**
 * Lines on their way to a log, gathered: to write each by itself would cost more than to serve a file. They are bytes from the start:
 * as strings, hundreds of them would outlive each young collection, and that costs more than to make them.
 */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';

/** Bytes: more are written at once, else what has come within `GATHER`. */
const MOST = 32 * 1024;
/** Milliseconds. */
const GATHER = 50;
/** Bytes of lines that may wait. A reader that stalls must not fill our memory, nor stop the service. */
const MOST_WAITING = 1024 * 1024;
const NEWLINE = 10;

export class LineBuffer {
  readonly #out: Writable;
  readonly #encoding: 'ascii' | 'utf8';
  #memory: Buffer = Buffer.allocUnsafeSlow(2 * MOST);
  #length = 0;
  /** Written, and free again. */
  readonly #spare: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;

  /**
   * `out` must need a chunk no more once it calls back, as what writes to a file or a socket does: its memory is used again.
   * `encoding`: of all lines; 'ascii' is the quicker one.
   */
  constructor(out: Writable, encoding: 'ascii' | 'utf8') {
    this.#out = out;
    this.#encoding = encoding;
  }

  /** `lines`: each with its newline. */
  add(lines: string): void {
    // three bytes is the most that a char of a string can become
    const most = this.#encoding === 'utf8' ? 3 * lines.length : lines.length;
    if (this.#length + most > this.#memory.length) this.flush();
    if (most > this.#memory.length) {
      this.#write(Buffer.from(lines, this.#encoding), null);
      return;
    }
    this.#length += this.#memory.write(lines, this.#length, this.#encoding);
    if (this.#length > MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  /** Writes what is there. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#length === 0) return;
    const memory = this.#memory;
    const lines = memory.subarray(0, this.#length);
    this.#length = 0;
    this.#memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(memory.length);
    this.#write(lines, memory);
  }

  /** `memory`: to be used again, where `lines` lie in it. */
  #write(lines: Buffer, memory: Buffer | null): void {
    if (this.#out.destroyed || this.#out.writableLength > MOST_WAITING) {
      for (const byte of lines) if (byte === NEWLINE) this.#dropped++;
      if (memory !== null) this.#spare.push(memory);
      return;
    }
    if (this.#dropped > 0) this.#out.write(`- ${this.#dropped} lines lost: nobody read this log\n`);
    this.#dropped = 0;
    this.#out.write(lines, () => {
      if (memory !== null && this.#spare.length === 0) this.#spare.push(memory);
    });
  }
}
