/** PHP's STDERR, which comes in pieces of any length, as whole lines that are safe to print. */
import type { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable } from './text.ts';

/** Characters; a longer line is cut in two rather than kept in memory. */
const MAX_LINE = 16_384;

export class StderrLines {
  readonly #out: Writable;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(out: Writable) {
    this.#out = out;
  }

  write(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.write(Buffer.from(chunk))).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    if (this.#rest.length > MAX_LINE) this.flush();
  }

  /** PHP does not always end its last line. */
  flush(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    this.#out.write(`${printable(line.replace(/\r$/, ''))}\n`);
  }
}
