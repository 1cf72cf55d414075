/** The body of a request: STDIN records as PHP-FPM reads them, for a script to read when it likes. */
import { RecordType } from '../protocol/index.ts';
import type { ExactSocket } from './exact-socket.ts';
import { readHeader } from './receive.ts';

/** Where a body ends: after CONTENT_LENGTH bytes, for PHP-FPM, or at the empty STDIN record, for other servers. */
export type BodyEnd = number | 'terminator';

/** Bytes that PHP takes at a time: before the script starts and for a read of all, and for a script that reads `php://input` piece by piece. */
const BLOCK = 16 * 1024;
const PIECE = 8 * 1024;

export class FakeBody implements AsyncIterable<Buffer> {
  readonly #socket: ExactSocket;
  readonly #toTerminator: boolean;
  #left: number;
  #contentLeft = 0;
  #paddingLength = 0;
  #broken = false;
  /** What was read last is the empty STDIN record. */
  #terminated = false;
  #short = false;
  #whole: Promise<Buffer> | null = null;

  constructor(socket: ExactSocket, end: BodyEnd) {
    this.#socket = socket;
    this.#toTerminator = end === 'terminator';
    this.#left = end === 'terminator' ? Number.POSITIVE_INFINITY : end;
  }

  /**
   * The client closed, or sent something else, before the body was whole. PHP runs such a request all the same, with
   * the whole blocks that have come.
   */
  get truncated(): boolean {
    return this.#broken || this.#short;
  }

  /** So the connection cannot be used again. */
  get broken(): boolean {
    return this.#broken;
  }

  /** In PHP's pieces of 8 KiB, or as the records of other servers come; what `bytes` has read is given once more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    if (this.#whole) {
      yield await this.#whole;
      return;
    }
    for (let piece = await this.#next(PIECE); piece; piece = await this.#next(PIECE)) yield piece;
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
    for (let piece = await this.#next(BLOCK); piece; piece = await this.#next(BLOCK)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /**
   * PHP waits until so much is there, or the rest of the body; what has come of a block is lost where the client closes. An empty
   * STDIN record ends the block, and the body only where nothing has come of it: behind a part of the body PHP waits for more.
   */
  async #next(size: number): Promise<Buffer | null> {
    if (this.#toTerminator) return this.#piece(Number.POSITIVE_INFINITY);
    const pieces: Buffer[] = [];
    let missing = Math.min(size, this.#left);
    while (missing > 0) {
      const piece = await this.#piece(missing);
      if (piece === null && this.#terminated) {
        this.#terminated = false;
        if (pieces.length > 0) break;
        this.#short = true;
        this.#left = 0;
      }
      if (piece === null || this.#broken) return null;
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length > 0 ? Buffer.concat(pieces) : null;
  }

  async #piece(most: number): Promise<Buffer | null> {
    if (this.#left === 0 || this.#broken) return null;
    if (this.#contentLeft === 0 && !(await this.#nextRecord())) return null;
    const length = Math.min(this.#contentLeft, this.#left, most);
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
    this.#terminated = header?.type === RecordType.STDIN;
    this.#broken = !this.#terminated;
    if (this.#broken || this.#toTerminator) this.#left = 0;
    return false;
  }
}
