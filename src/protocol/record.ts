/**
 * Records and their fixed bodies as values. Each kind has the same three members: its length in bytes, `encode…Into`
 * a buffer at an offset, and `decode…` from one.
 *
 *      0        1        2        3        4        5        6        7
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  | version|  type  |    requestId    |  contentLength  | padding|reserved|   header
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |       role      |  flags |                reserved                    |   BEGIN_REQUEST
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |             appStatus             | status |         reserved         |   END_REQUEST
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |  type  |                         reserved                             |   UNKNOWN_TYPE
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 */
import { ArgumentError, ProtocolError } from '../errors.ts';
import { HEADER_LENGTH, MAX_CONTENT_LENGTH, RecordType, VERSION } from './constants.ts';

/** Bytes of each fixed body: BEGIN_REQUEST, END_REQUEST, UNKNOWN_TYPE. */
export const FIXED_BODY_LENGTH = 8;

export interface RecordHeader {
  readonly type: number;
  /** 0 to 65,535; 0 for management records. */
  readonly requestId: number;
  /** Bytes, 0 to 65,535. */
  readonly contentLength: number;
  /** Bytes, 0 to 255. */
  readonly paddingLength: number;
}

export interface BeginRequest {
  /** See Role; any 16 bits. */
  readonly role: number;
  /** See Flag; any 8 bits. */
  readonly flags: number;
}

export interface EndRequest {
  /** All 32 bits, unsigned. */
  readonly appStatus: number;
  /** See ProtocolStatus; any 8 bits. */
  readonly protocolStatus: number;
}

/** Writes 8 bytes at `at` (specification 3.3); returns the offset behind them. */
export function encodeHeaderInto(
  target: Uint8Array,
  at: number,
  type: number,
  requestId: number,
  contentLength: number,
  paddingLength: number,
): number {
  target[at] = VERSION;
  target[at + 1] = type;
  target[at + 2] = requestId >>> 8;
  target[at + 3] = requestId;
  target[at + 4] = contentLength >>> 8;
  target[at + 5] = contentLength;
  target[at + 6] = paddingLength;
  target[at + 7] = 0;
  return at + HEADER_LENGTH;
}

/** Reads 8 bytes at `at`. Throws FCGI_ERR_RECORD_VERSION. */
export function decodeHeader(bytes: Uint8Array, at = 0): RecordHeader {
  checkVersion(byteAt(bytes, at));
  return {
    type: byteAt(bytes, at + 1),
    requestId: uint16(bytes, at + 2),
    contentLength: uint16(bytes, at + 4),
    paddingLength: byteAt(bytes, at + 6),
  };
}

/** Writes 8 bytes at `at` (specification 5.1); returns the offset behind them. */
export function encodeBeginRequestInto(target: Uint8Array, at: number, body: BeginRequest): number {
  target[at] = body.role >>> 8;
  target[at + 1] = body.role;
  target[at + 2] = body.flags;
  // One by one: fill() is a call into C++, and each request has this record.
  target[at + 3] = 0;
  target[at + 4] = 0;
  target[at + 5] = 0;
  target[at + 6] = 0;
  target[at + 7] = 0;
  return at + FIXED_BODY_LENGTH;
}

/** Reads 8 bytes at `at`. */
export function decodeBeginRequest(bytes: Uint8Array, at = 0): BeginRequest {
  return { role: uint16(bytes, at), flags: byteAt(bytes, at + 2) };
}

/** Writes 8 bytes at `at` (specification 5.5); returns the offset behind them. */
export function encodeEndRequestInto(target: Uint8Array, at: number, body: EndRequest): number {
  target[at] = body.appStatus >>> 24;
  target[at + 1] = body.appStatus >>> 16;
  target[at + 2] = body.appStatus >>> 8;
  target[at + 3] = body.appStatus;
  target[at + 4] = body.protocolStatus;
  target.fill(0, at + 5, at + FIXED_BODY_LENGTH);
  return at + FIXED_BODY_LENGTH;
}

/** Reads 8 bytes at `at`. */
export function decodeEndRequest(bytes: Uint8Array, at = 0): EndRequest {
  // >>> 0: appStatus has 32 bits, and the highest must not turn it negative.
  const appStatus = ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
  return { appStatus, protocolStatus: byteAt(bytes, at + 4) };
}

/** Writes 8 bytes at `at` (specification 4.2): `type` is the record type that was not understood. */
export function encodeUnknownTypeInto(target: Uint8Array, at: number, type: number): number {
  target[at] = type;
  target.fill(0, at + 1, at + FIXED_BODY_LENGTH);
  return at + FIXED_BODY_LENGTH;
}

/** Reads 8 bytes at `at`; gives the record type that was not understood. */
export function decodeUnknownType(bytes: Uint8Array, at = 0): number {
  return byteAt(bytes, at);
}

/**
 * One whole record of any type, in a buffer of its own. `content` is at most 65,535 bytes, `paddingLength`
 * (default 0) at most 255; else `FCGI_ERR_INVALID_ARG`.
 */
export function encodeRecord(
  type: number,
  requestId: number,
  content: Uint8Array = new Uint8Array(0),
  paddingLength = 0,
): Buffer {
  checkRange('type', type, 255);
  checkRange('requestId', requestId, 65_535);
  checkRange('content.length', content.length, MAX_CONTENT_LENGTH);
  checkRange('paddingLength', paddingLength, 255);
  const record = Buffer.alloc(HEADER_LENGTH + content.length + paddingLength);
  record.set(content, encodeHeaderInto(record, 0, type, requestId, content.length, paddingLength));
  return record;
}

/** A whole BEGIN_REQUEST record: 16 bytes. */
export function encodeBeginRequest(requestId: number, body: BeginRequest): Buffer {
  const record = Buffer.alloc(HEADER_LENGTH + FIXED_BODY_LENGTH);
  const { BEGIN_REQUEST } = RecordType;
  encodeBeginRequestInto(
    record,
    encodeHeaderInto(record, 0, BEGIN_REQUEST, requestId, FIXED_BODY_LENGTH, 0),
    body,
  );
  return record;
}

/** A whole END_REQUEST record: 16 bytes. */
export function encodeEndRequest(requestId: number, body: EndRequest): Buffer {
  const record = Buffer.alloc(HEADER_LENGTH + FIXED_BODY_LENGTH);
  const { END_REQUEST } = RecordType;
  encodeEndRequestInto(
    record,
    encodeHeaderInto(record, 0, END_REQUEST, requestId, FIXED_BODY_LENGTH, 0),
    body,
  );
  return record;
}

/** Throws FCGI_ERR_RECORD_VERSION, with a hint where the byte looks like the start of an HTTP response. */
export function checkVersion(version: number): void {
  if (version === VERSION) return;
  const error = new ProtocolError(
    'FCGI_ERR_RECORD_VERSION',
    `record version is ${version}, not ${VERSION}: the server does not speak FastCGI`,
  );
  if (version === 0x48) error.learn({ hint: 'this port speaks HTTP, not FastCGI' });
  throw error;
}

export function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError(`no byte at ${at} of ${bytes.length}`);
  return byte;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

function checkRange(option: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new ArgumentError(
    'FCGI_ERR_INVALID_ARG',
    option,
    `${option} must be an integer from 0 to ${most}, not ${value}`,
  );
}
