/**
 * A request as bytes: BEGIN_REQUEST, PARAMS split at pair borders, the empty PARAMS, STDIN. No I/O.
 *
 * PHP-FPM parses each PARAMS record alone and resets the connection where a pair crosses two, so a record ends
 * before a pair that would not fit.
 */
import { Buffer } from 'node:buffer';
import { ArgumentError } from '../errors.ts';
import {
  Flag,
  HEADER_LENGTH,
  MAX_RECORD_CONTENT,
  MAX_REQUEST_ID,
  NULL_REQUEST_ID,
  RecordType,
  Role,
  ValueName,
} from './constants.ts';
import { KnownParams } from './known-params.ts';
import { encodePairInto, type Params, pairBound } from './params.ts';
import {
  decodeHeader,
  encodeBeginRequestInto,
  encodeHeaderInto,
  encodeRecord,
  FIXED_BODY_LENGTH,
} from './record.ts';

/** Of the first request of a connection, and the default. Each request has an id of its own: see `requestIdOf`. */
export const REQUEST_ID = 1;

/** The id of a request that is the `nth` of its connection, from 1: 1 to 65,535, and then again. */
export function requestIdOf(nth: number): number {
  return ((nth - 1) % MAX_REQUEST_ID) + 1;
}

/** Bytes: most requests have fewer. */
const MEMORY = 4 * 1024;
/** Bytes: larger memory is not kept. */
const MOST_SPARE = 64 * 1024;
/** So many are: a megabyte, where a queue of thousands had one each. */
const MOST_SPARES = 256;
const BEGIN_LENGTH = HEADER_LENGTH + FIXED_BODY_LENGTH;
/** In front of the params: the terminator of the request before, and BEGIN_REQUEST. */
const FRONT = HEADER_LENGTH + BEGIN_LENGTH;

/** Params as records, with room in front: all of a request that does not depend on the connection it goes out on. */
export interface EncodedParams {
  /** Of no other request, until it is given back. */
  memory: Buffer;
  /** Where the last record begins, which is not closed yet, and where the pairs end. */
  readonly record: number;
  readonly end: number;
}

/** What of a request is known once it has a connection. */
export interface RequestFrame {
  /** 1 to 65,535; default 1. */
  readonly requestId?: number;
  /** FCGI_KEEP_CONN: the server leaves the connection open after END_REQUEST. */
  readonly keepConn: boolean;
  /** Puts the STDIN terminator that the request before still owes in front (PHP-FPM skips a stray one). */
  readonly terminateFirst: boolean;
  /** The id of that request; default: this one's. */
  readonly idBefore?: number;
  /** Of at most 65,528 bytes; copied in. */
  readonly stdin: Uint8Array | null;
  /** Ends STDIN at once. */
  readonly terminateLast: boolean;
  /** Adds CONTENT_LENGTH, where the params have none; in bytes. */
  readonly contentLength: number | null;
}

export interface RequestEncoding extends RequestFrame {
  readonly params: Params;
}

/**
 * Encodes requests so that each is one buffer and one write, and one that is like those before it costs little. What
 * `encode` returned is not written to again, unless its memory is given back.
 */
export class RequestEncoder {
  /** Given back, and still warm: encoding into new memory takes twice as long. */
  readonly #spare: Buffer[] = [];
  readonly #known: KnownParams = new KnownParams();
  /** Of the current request: its bytes so far, where its open PARAMS record begins, and where the next byte goes. */
  #bytes: Buffer = Buffer.alloc(0);
  #record = 0;
  #at = 0;
  #id: number = REQUEST_ID;

  /**
   * Throws FCGI_ERR_INVALID_ARG (NUL in a param, a param that is no string or bytes, `stdin` of more than 65,528
   * bytes) and FCGI_ERR_PARAM_TOO_LARGE.
   */
  encode(request: RequestEncoding): Buffer {
    return this.complete(this.params(request.params), request);
  }

  /** Of what is encoded once, and completed when it is sent. Throws as `encode`. */
  params(params: Params): EncodedParams {
    this.#bytes = this.#memory();
    this.#record = FRONT;
    this.#at = FRONT + HEADER_LENGTH;
    this.#pairs(params);
    return { memory: this.#bytes, record: this.#record, end: this.#at };
  }

  /** The request: a view of the memory of its params, which may be a larger one then. Throws for CONTENT_LENGTH and `stdin`, as `encode`. */
  complete(params: EncodedParams, frame: RequestFrame): Buffer {
    const { requestId = REQUEST_ID, idBefore = requestId, terminateFirst, contentLength, stdin } = frame;
    this.#bytes = params.memory;
    this.#record = params.record;
    this.#at = params.end;
    if (contentLength !== null) this.#pair('CONTENT_LENGTH', String(contentLength));
    this.#id = requestId;
    this.#closeParams();
    if (stdin !== null && stdin.length > 0) this.#stdin(stdin);
    if (frame.terminateLast) this.#terminate();
    const end = this.#at;
    this.#at = HEADER_LENGTH;
    this.#header(RecordType.BEGIN_REQUEST, FIXED_BODY_LENGTH);
    encodeBeginRequestInto(this.#bytes, this.#at, {
      role: Role.RESPONDER,
      flags: frame.keepConn ? Flag.KEEP_CONN : 0,
    });
    params.memory = this.#bytes;
    if (!terminateFirst) return this.#bytes.subarray(HEADER_LENGTH, end);
    encodeHeaderInto(this.#bytes, 0, RecordType.STDIN, idBefore, 0, 0);
    return this.#bytes.subarray(0, end);
  }

  /** The same params once more, in other memory: a connection that has failed may still refer to the first. */
  copy({ memory, record, end }: EncodedParams): EncodedParams {
    const copy = end > MEMORY ? Buffer.allocUnsafeSlow(end) : this.#memory();
    memory.copy(copy, 0, 0, end);
    return { memory: copy, record, end };
  }

  /** What the latest request lies in: all of it, for `reclaim`. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /** Nobody needs what lies in it any more. */
  reclaim(memory: Buffer): void {
    if (memory.length <= MOST_SPARE && this.#spare.length < MOST_SPARES) this.#spare.push(memory);
  }

  #memory(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(MEMORY);
  }

  #pairs(params: Params): void {
    const known = this.#known;
    let differs = false;
    // Known pairs from `from` up to `to` come next, and have not been copied yet.
    let from = 0;
    let to = 0;
    // Not Object.keys(): a list of names for each request would be the largest thing that it leaves behind.
    for (const name in params) {
      // As V8 knows it, word by word: within such a loop it costs nothing; Object.hasOwn() is a call, and so is this by another name.
      // biome-ignore lint/suspicious/noPrototypeBuiltins: see above
      if (!Object.prototype.hasOwnProperty.call(params, name)) continue;
      const value = params[name];
      if (value === undefined) continue;
      if (known.is(to, name, value)) {
        to++;
        continue;
      }
      this.#copyKnown(from, to);
      const there = known.find(name, to);
      const isKnown = there >= 0 && known.is(there, name, value);
      if (!isKnown) this.#pair(name, value);
      differs ||= !isKnown;
      if (there >= 0) to = there + 1;
      from = isKnown ? there : to;
    }
    this.#copyKnown(from, to);
    if (differs) known.differed(params);
  }

  #closeParams(): void {
    // Those that were full had no id yet.
    for (let at = FRONT; at < this.#record; ) {
      const { contentLength } = decodeHeader(this.#bytes, at);
      at = encodeHeaderInto(this.#bytes, at, RecordType.PARAMS, this.#id, contentLength, 0) + contentLength;
    }
    // An empty record is the end of the stream: a set without params must not send it twice.
    if (this.#at === this.#record + HEADER_LENGTH) this.#at = this.#record;
    else this.#closeRecord(this.#at);
    this.#reserve(HEADER_LENGTH);
    this.#header(RecordType.PARAMS, 0);
  }

  #pair(name: string, value: string | Uint8Array): void {
    this.#reserve(pairBound(name, value) + 4 * HEADER_LENGTH);
    const pair = this.#at;
    this.#at = encodePairInto(this.#bytes, pair, name, value);
    this.#split(pair);
  }

  #copyKnown(from: number, to: number): void {
    if (from === to) return;
    this.#reserve(this.#known.size(from, to) + 4 * HEADER_LENGTH);
    const pairs = this.#at;
    this.#at = this.#known.copy(from, to, this.#bytes, pairs);
    this.#split(pairs);
  }

  /** What has been written from `start` on goes into a record of its own, if it does not fit into the one before. */
  #split(start: number): void {
    if (this.#at - this.#record - HEADER_LENGTH <= MAX_RECORD_CONTENT) return;
    this.#closeRecord(start);
    this.#bytes.copyWithin(start + HEADER_LENGTH, start, this.#at);
    this.#at += HEADER_LENGTH;
    this.#record = start;
  }

  #closeRecord(end: number): void {
    encodeHeaderInto(
      this.#bytes,
      this.#record,
      RecordType.PARAMS,
      this.#id,
      end - this.#record - HEADER_LENGTH,
      0,
    );
  }

  #stdin(body: Uint8Array): void {
    if (body.length > MAX_RECORD_CONTENT) {
      const message = `stdin must be at most ${MAX_RECORD_CONTENT} bytes, not ${body.length}`;
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'stdin', message);
    }
    this.#reserve(HEADER_LENGTH + body.length);
    this.#header(RecordType.STDIN, body.length);
    this.#bytes.set(body, this.#at);
    this.#at += body.length;
  }

  #header(type: number, contentLength: number): void {
    this.#at = encodeHeaderInto(this.#bytes, this.#at, type, this.#id, contentLength, 0);
  }

  #terminate(): void {
    this.#reserve(HEADER_LENGTH);
    this.#header(RecordType.STDIN, 0);
  }

  /** Makes room for `length` more bytes. */
  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** The empty STDIN record: the end of a request's body (specification 5.3). A new buffer each time. */
export function encodeStdinTerminator(requestId: number = REQUEST_ID): Buffer {
  const record = Buffer.allocUnsafe(HEADER_LENGTH);
  encodeHeaderInto(record, 0, RecordType.STDIN, requestId, 0, 0);
  return record;
}

/** A piece of a body as STDIN records, without the terminator: headers and views of `content`, nothing copied. */
export function encodeStdin(content: Uint8Array, requestId: number = REQUEST_ID): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += MAX_RECORD_CONTENT) {
    const end = Math.min(at + MAX_RECORD_CONTENT, content.length);
    const header = Buffer.allocUnsafe(HEADER_LENGTH);
    encodeHeaderInto(header, 0, RecordType.STDIN, requestId, end - at, 0);
    parts.push(header, content.subarray(at, end));
  }
  return parts;
}

/** FCGI_GET_VALUES for all three names (specification 4.1). A new buffer each time. */
export function encodeGetValues(): Buffer {
  const content = Buffer.alloc(Object.values(ValueName).reduce((sum, name) => sum + pairBound(name, ''), 0));
  let at = 0;
  for (const name of Object.values(ValueName)) at = encodePairInto(content, at, name, '');
  return encodeRecord(RecordType.GET_VALUES, NULL_REQUEST_ID, content.subarray(0, at));
}
