/**
 * Lines on their way to a log, gathered: to write each by itself would cost more than to serve a file. Most of what one costs is to have its
 * code run once between two requests, so a few are put into their format in one go. Hundreds at a time would not do: what lines are made of
 * would outlive V8's young generation, which then grows out of the processor's cache and makes all else slower.
 */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { type CombinedLine, CombinedWriter, mostBytes } from './combined.ts';
import { LossyLog } from './lossy-log.ts';

/** Bytes: lines that may become more are written at once, else what has come within `GATHER`. */
const ROOM = 256 * 1024;
/** Milliseconds. */
const GATHER = 50;
/** Lines that are put into their format in one go. */
const BATCH = 16;

/** As text with its newline, or several such, or what such a line is made of. */
type Line = string | CombinedLine;

export class LineBuffer {
  readonly #out: LossyLog;
  /** Not in their format yet. */
  readonly #lines: Line[] = [];
  /** Bytes of all that is here, at the most. */
  #most = 0;
  /** What has its format. Null: nothing. */
  #written: { readonly memory: Buffer; readonly writer: CombinedWriter } | null = null;
  /** Free again. */
  readonly #spare: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `out` must need a chunk no more once it calls back, as what writes to a file or a socket does: its memory is used again. */
  constructor(out: Writable) {
    this.#out = new LossyLog(out);
  }

  add(line: Line): void {
    const most = typeof line === 'string' ? 3 * line.length : mostBytes(line);
    if (this.#most + most > ROOM) this.flush();
    this.#most += most;
    if (this.#lines.push(line) === BATCH) this.#format();
    this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  /** Writes what is there. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#format();
    if (this.#written === null) return;
    const { memory, writer } = this.#written;
    this.#written = null;
    this.#most = 0;
    this.#out.write(memory.subarray(0, writer.end), () => this.#free(memory));
  }

  #format(): void {
    if (this.#lines.length === 0) return;
    this.#written ??= this.#begin();
    const { memory, writer } = this.#written;
    for (const line of this.#lines) {
      if (typeof line === 'string') writer.end += memory.write(line, writer.end);
      else writer.add(line);
    }
    this.#lines.length = 0;
    this.#most = writer.end;
  }

  #begin(): { memory: Buffer; writer: CombinedWriter } {
    // What may need more than that is one alone.
    const spare = this.#most > ROOM ? undefined : this.#spare.pop();
    const memory = spare ?? Buffer.allocUnsafeSlow(Math.max(this.#most, ROOM));
    return { memory, writer: new CombinedWriter(memory) };
  }

  #free(memory: Buffer): void {
    if (this.#spare.length === 0 && memory.length === ROOM) this.#spare.push(memory);
  }
}
