/**
 * Lines on their way to a log, gathered: to write each by itself would cost more than to serve a file. Most of what one costs is to have its
 * code run once between two requests, so hundreds are put into their format in one go.
 */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { type CombinedLine, mostBytes, writeCombined } from './combined.ts';

/** Chars: with more they are written at once, else what has come within `GATHER`. */
const MOST = 64 * 1024;
/** Milliseconds. */
const GATHER = 50;
/** Bytes of lines that may wait. A reader that stalls must not fill our memory, nor stop the service. */
const MOST_WAITING = 1024 * 1024;
/** Of a line, beside what is given with it. */
const FIXED = 64;
const NEWLINE = 10;

/** As text with its newline, or several such, or what such a line is made of. */
type Line = string | CombinedLine;

export class LineBuffer {
  readonly #out: Writable;
  #lines: Line[] = [];
  /** Chars of those. */
  #length = 0;
  /** Written, and free again. */
  readonly #spare: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;

  /** `out` must need a chunk no more once it calls back, as what writes to a file or a socket does: its memory is used again. */
  constructor(out: Writable) {
    this.#out = out;
  }

  add(line: Line): void {
    this.#lines.push(line);
    this.#length += typeof line === 'string' ? line.length : line.url.length + line.agent.length + FIXED;
    if (this.#length > MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  /** Writes what is there. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#length = 0;
    let memory = this.#memory();
    let end = 0;
    for (const line of lines) {
      const most = typeof line === 'string' ? 3 * line.length : mostBytes(line);
      if (end + most > memory.length) {
        this.#write(memory, end);
        memory = most > memory.length ? Buffer.allocUnsafeSlow(most) : this.#memory();
        end = 0;
      }
      end = typeof line === 'string' ? end + memory.write(line, end) : writeCombined(memory, end, line);
    }
    this.#write(memory, end);
  }

  #memory(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(2 * MOST);
  }

  #write(memory: Buffer, end: number): void {
    const lines = memory.subarray(0, end);
    if (this.#out.destroyed || this.#out.writableLength > MOST_WAITING) {
      for (const byte of lines) if (byte === NEWLINE) this.#dropped++;
      this.#free(memory);
      return;
    }
    if (this.#dropped > 0) this.#out.write(`- ${this.#dropped} lines lost: nobody read this log\n`);
    this.#dropped = 0;
    this.#out.write(lines, () => this.#free(memory));
  }

  #free(memory: Buffer): void {
    if (this.#spare.length === 0 && memory.length === 2 * MOST) this.#spare.push(memory);
  }
}
