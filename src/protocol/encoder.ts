/**
 * A request as bytes: BEGIN_REQUEST, PARAMS split at pair borders, the empty PARAMS, STDIN. No I/O.
 *
 * PHP-FPM parses each PARAMS record alone and resets the connection where a pair crosses two, so a record ends
 * before a pair that would not fit.
 */
import { Flag, HEADER_LENGTH, MAX_RECORD_CONTENT, RecordType, Role } from './constants.ts';
import { encodePairInto, type Params, pairBound } from './params.ts';
import { encodeBeginRequestInto, encodeHeaderInto, FIXED_BODY_LENGTH } from './record.ts';

/** One socket carries one request at a time, so one id is enough. */
export const REQUEST_ID = 1;

const SLAB = 128 * 1024;
const BEGIN_LENGTH = HEADER_LENGTH + FIXED_BODY_LENGTH;

export interface RequestEncoding {
  readonly params: Params;
  /** FCGI_KEEP_CONN: the server leaves the connection open after END_REQUEST. */
  readonly keepConn: boolean;
  /** Puts the STDIN terminator that the request before still owes in front (PHP-FPM skips a stray one). */
  readonly terminateFirst: boolean;
  /** Of at most 65,528 bytes; copied in, not terminated. */
  readonly stdin: Uint8Array | null;
}

/**
 * Encodes requests one behind the other into slabs of memory, so that a request is one buffer and one write and
 * costs no allocation of its own. What `encode` returned is never written to again.
 */
export class RequestEncoder {
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;

  /**
   * Throws FCGI_ERR_INVALID_ARG (NUL in a param) and FCGI_ERR_PARAM_TOO_LARGE; then nothing is encoded.
   */
  encode(request: RequestEncoding): Buffer {
    this.#start = this.#at;
    this.#reserve(2 * HEADER_LENGTH + BEGIN_LENGTH);
    try {
      if (request.terminateFirst) this.#header(RecordType.STDIN, 0);
      this.#header(RecordType.BEGIN_REQUEST, FIXED_BODY_LENGTH);
      this.#at = encodeBeginRequestInto(this.#slab, this.#at, {
        role: Role.RESPONDER,
        flags: request.keepConn ? Flag.KEEP_CONN : 0,
      });
      this.#params(request.params);
      if (request.stdin !== null && request.stdin.length > 0) this.#stdin(request.stdin);
    } catch (error) {
      this.#at = this.#start;
      throw error;
    }
    return this.#slab.subarray(this.#start, this.#at);
  }

  #params(params: Params): void {
    let header = this.#open();
    let content = header + HEADER_LENGTH;
    for (const name in params) {
      const value = params[name];
      if (value === undefined || !Object.hasOwn(params, name)) continue;
      const shift = this.#reserve(pairBound(name, value) + 3 * HEADER_LENGTH);
      header -= shift;
      content -= shift;
      const pair = this.#at;
      this.#at = encodePairInto(this.#slab, pair, name, value);
      if (this.#at - content > MAX_RECORD_CONTENT) {
        // The pair does not fit any more: close the record before it and move the pair behind a new header.
        encodeHeaderInto(this.#slab, header, RecordType.PARAMS, REQUEST_ID, pair - content, 0);
        this.#slab.copyWithin(pair + HEADER_LENGTH, pair, this.#at);
        this.#at += HEADER_LENGTH;
        header = pair;
        content = pair + HEADER_LENGTH;
      }
    }
    // An empty record is the end of the stream: a set without params must not send it twice.
    if (this.#at === content) this.#at = header;
    else encodeHeaderInto(this.#slab, header, RecordType.PARAMS, REQUEST_ID, this.#at - content, 0);
    this.#header(RecordType.PARAMS, 0);
  }

  #stdin(body: Uint8Array): void {
    this.#reserve(HEADER_LENGTH + body.length);
    this.#header(RecordType.STDIN, body.length);
    this.#slab.set(body, this.#at);
    this.#at += body.length;
  }

  #header(type: number, contentLength: number): void {
    this.#at = encodeHeaderInto(this.#slab, this.#at, type, REQUEST_ID, contentLength, 0);
  }

  #open(): number {
    const header = this.#at;
    this.#at += HEADER_LENGTH;
    return header;
  }

  /** Makes room for `length` more bytes; returns by how many bytes the request moved down, mostly 0. */
  #reserve(length: number): number {
    if (this.#at + length <= this.#slab.length) return 0;
    const used = this.#at - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB, 2 * (used + length)));
    this.#slab.copy(slab, 0, this.#start, this.#at);
    const shift = this.#start;
    this.#slab = slab;
    this.#start = 0;
    this.#at = used;
    return shift;
  }
}

/** The empty STDIN record: the end of a request's body (specification 5.3). A new buffer each time. */
export function encodeStdinTerminator(): Buffer {
  const record = Buffer.allocUnsafe(HEADER_LENGTH);
  encodeHeaderInto(record, 0, RecordType.STDIN, REQUEST_ID, 0, 0);
  return record;
}

/** A piece of a body as STDIN records, without the terminator: headers and views of `content`, nothing copied. */
export function encodeStdin(content: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += MAX_RECORD_CONTENT) {
    const end = Math.min(at + MAX_RECORD_CONTENT, content.length);
    const header = Buffer.allocUnsafe(HEADER_LENGTH);
    encodeHeaderInto(header, 0, RecordType.STDIN, REQUEST_ID, end - at, 0);
    parts.push(header, content.subarray(at, end));
  }
  return parts;
}
