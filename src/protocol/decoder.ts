/**
 * Bytes in, records out, for either direction. No I/O.
 *
 *   'header' --8 bytes--> 'content' --contentLength bytes--> 'padding' --paddingLength bytes--> 'header'
 *
 * Content is handed on as it arrives, as offsets into the caller's chunk: nothing is copied, nothing waits for the
 * rest of a record. Only a header that lies across two chunks is put together.
 */
import { HEADER_LENGTH } from './constants.ts';
import { byteAt, checkVersion } from './record.ts';

/** What a RecordDecoder calls. What it throws comes out of `push`. */
export interface RecordSink {
  /** A header has been read. */
  onRecord(type: number, requestId: number, contentLength: number): void;
  /** The bytes `start` to `end` of `chunk` are content of the current record; at least one. */
  onContent(chunk: Buffer, start: number, end: number): void;
  /** The record is over, its padding included; `rest` bytes of the chunk come behind it. */
  onRecordEnd(rest: number): void;
}

export class RecordDecoder {
  readonly #sink: RecordSink;
  readonly #header: Buffer = Buffer.alloc(HEADER_LENGTH);
  #headerLength = 0;
  #contentLeft = 0;
  #paddingLeft = 0;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** No record has begun that has not ended: the only moment at which a connection may be reused. */
  get atBorder(): boolean {
    return this.#headerLength === 0 && this.#contentLeft === 0 && this.#paddingLeft === 0;
  }

  /** Throws FCGI_ERR_RECORD_VERSION and what the sink throws; after that the decoder is of no more use. */
  push(chunk: Buffer, length: number = chunk.length): void {
    let at = 0;
    while (at < length) {
      if (this.#contentLeft > 0) at = this.#content(chunk, at, length);
      else if (this.#paddingLeft > 0) at = this.#padding(at, length);
      else at = this.#head(chunk, at, length);
    }
  }

  #content(chunk: Buffer, at: number, length: number): number {
    const end = Math.min(at + this.#contentLeft, length);
    this.#contentLeft -= end - at;
    this.#sink.onContent(chunk, at, end);
    if (this.#contentLeft === 0 && this.#paddingLeft === 0) this.#sink.onRecordEnd(length - end);
    return end;
  }

  #padding(at: number, length: number): number {
    const end = Math.min(at + this.#paddingLeft, length);
    this.#paddingLeft -= end - at;
    if (this.#paddingLeft === 0) this.#sink.onRecordEnd(length - end);
    return end;
  }

  #head(chunk: Buffer, at: number, length: number): number {
    if (this.#headerLength === 0) {
      checkVersion(byteAt(chunk, at));
      if (at + HEADER_LENGTH <= length) {
        this.#begin(chunk, at, length - at - HEADER_LENGTH);
        return at + HEADER_LENGTH;
      }
    }
    const end = Math.min(at + HEADER_LENGTH - this.#headerLength, length);
    chunk.copy(this.#header, this.#headerLength, at, end);
    this.#headerLength += end - at;
    if (this.#headerLength === HEADER_LENGTH) {
      this.#headerLength = 0;
      this.#begin(this.#header, 0, length - end);
    }
    return end;
  }

  /** All of the header is there. In place: ten calls of byteAt() for each record would be felt. */
  #begin(bytes: Buffer, at: number, rest: number): void {
    const type = bytes[at + 1] ?? 0;
    const requestId = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const contentLength = ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0);
    const paddingLength = bytes[at + 6] ?? 0;
    this.#contentLeft = contentLength;
    this.#paddingLeft = paddingLength;
    this.#sink.onRecord(type, requestId, contentLength);
    if (contentLength === 0 && paddingLength === 0) this.#sink.onRecordEnd(rest);
  }
}
