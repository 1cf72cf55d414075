/** A log on its way out: while nobody reads it, it costs lines. To wait for its reader would stop the service, to keep them fill the memory. */
import type { Writable } from 'node:stream';

/** Bytes of lines that may wait. */
const MOST_WAITING = 1024 * 1024;
const NEWLINE = '\n'.charCodeAt(0);

export class LossyLog {
  readonly #out: Writable;
  #dropped = 0;

  constructor(out: Writable) {
    this.#out = out;
  }

  /** Whole lines. `done`: they are out, or lost. */
  write(lines: string | Uint8Array, done: () => void = () => {}): void {
    if (this.#out.destroyed || this.#out.writableLength > MOST_WAITING) {
      this.#dropped += countOf(lines);
      done();
      return;
    }
    if (this.#dropped > 0) this.#out.write(`- ${this.#dropped} lines lost: nobody read this log\n`);
    this.#dropped = 0;
    this.#out.write(lines, done);
  }
}

function countOf(lines: string | Uint8Array): number {
  let count = 0;
  if (typeof lines === 'string') {
    for (let at = lines.indexOf('\n'); at !== -1; at = lines.indexOf('\n', at + 1)) count++;
  } else for (const byte of lines) if (byte === NEWLINE) count++;
  return count;
}
