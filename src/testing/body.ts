/** The body of a request: STDIN records as PHP-FPM reads them, for a script to read when it likes. */
import { RecordType } from '../protocol/index.ts';
import type { ExactSocket } from './exact-socket.ts';
import { readHeader } from './receive.ts';

/** Where a body ends: after CONTENT_LENGTH bytes, for PHP-FPM, or at the empty STDIN record, for other servers. */
export type BodyEnd = number | 'terminator';

export class FakeBody implements AsyncIterable<Buffer> {
  readonly #socket: ExactSocket;
  readonly #toTerminator: boolean;
  #left: number;
  #contentLeft = 0;
  #paddingLength = 0;
  #broken = false;
  #whole: Promise<Buffer> | null = null;

  constructor(socket: ExactSocket, end: BodyEnd) {
    this.#socket = socket;
    this.#toTerminator = end === 'terminator';
    this.#left = end === 'terminator' ? Number.POSITIVE_INFINITY : end;
  }

  /**
   * The client closed, or sent something else, before the body was whole. PHP runs such a request all the same, and
   * with what has come.
   */
  get truncated(): boolean {
    return this.#broken;
  }

  /** As the records come; what `bytes` has read is given once more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    if (this.#whole) {
      yield await this.#whole;
      return;
    }
    for (let piece = await this.#piece(); piece; piece = await this.#piece()) yield piece;
  }

  /** All that no iteration has taken; the same each time. */
  bytes(): Promise<Buffer> {
    this.#whole ??= this.#rest();
    return this.#whole;
  }

  /** `bytes` as UTF-8. */
  async text(): Promise<string> {
    return (await this.bytes()).toString('utf8');
  }

  async #rest(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.#piece(); piece; piece = await this.#piece()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #piece(): Promise<Buffer | null> {
    if (this.#left === 0 || this.#broken) return null;
    if (this.#contentLeft === 0 && !(await this.#nextRecord())) return null;
    const length = Math.min(this.#contentLeft, this.#left);
    const piece = await this.#socket.read(length);
    this.#broken = piece.length < length;
    this.#left -= piece.length;
    this.#contentLeft -= piece.length;
    if (this.#contentLeft === 0 && !this.#broken) await this.#socket.read(this.#paddingLength);
    return piece.length > 0 ? piece : null;
  }

  async #nextRecord(): Promise<boolean> {
    const header = await readHeader(this.#socket);
    if (header?.type === RecordType.STDIN && header.contentLength > 0) {
      this.#contentLeft = header.contentLength;
      this.#paddingLength = header.paddingLength;
      return true;
    }
    this.#left = 0;
    this.#broken = !(this.#toTerminator && header?.type === RecordType.STDIN);
    return false;
  }
}
