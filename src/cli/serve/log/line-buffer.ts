/**
 * Lines on their way to a log, gathered: to write each by itself would cost more than to serve a file. Most of what one costs is to have its
 * code run once between two requests, so hundreds are put into their format in one go.
 */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { type CombinedLine, CombinedWriter, mostBytes } from './combined.ts';
import { LossyLog } from './lossy-log.ts';

/** Bytes: lines that may become more are written at once, else what has come within `GATHER`. */
const ROOM = 256 * 1024;
/** Milliseconds. */
const GATHER = 50;

/** As text with its newline, or several such, or what such a line is made of. */
type Line = string | CombinedLine;

export class LineBuffer {
  readonly #out: LossyLog;
  #lines: Line[] = [];
  /** Bytes that they may become at the most. */
  #most = 0;
  /** Written, and free again. */
  readonly #spare: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `out` must need a chunk no more once it calls back, as what writes to a file or a socket does: its memory is used again. */
  constructor(out: Writable) {
    this.#out = new LossyLog(out);
  }

  add(line: Line): void {
    const most = typeof line === 'string' ? 3 * line.length : mostBytes(line);
    if (this.#most + most > ROOM) this.flush();
    this.#lines.push(line);
    this.#most += most;
    this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  /** Writes what is there. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#lines;
    if (lines.length === 0) return;
    // What may need more than that is one alone.
    const spare = this.#most > ROOM ? undefined : this.#spare.pop();
    const memory = spare ?? Buffer.allocUnsafeSlow(Math.max(this.#most, ROOM));
    this.#lines = [];
    this.#most = 0;
    const writer = new CombinedWriter(memory);
    for (const line of lines) {
      if (typeof line === 'string') writer.end += memory.write(line, writer.end);
      else writer.add(line);
    }
    this.#out.write(memory.subarray(0, writer.end), () => this.#free(memory));
  }

  #free(memory: Buffer): void {
    if (this.#spare.length === 0 && memory.length === ROOM) this.#spare.push(memory);
  }
}
