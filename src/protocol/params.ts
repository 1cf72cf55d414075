/**
 * Name-value pairs (specification 3.4), encoded: the content of PARAMS and GET_VALUES.
 *
 *  length below 128:  0xxxxxxx
 *  else:              1xxxxxxx xxxxxxxx xxxxxxxx xxxxxxxx
 *  pair:              nameLength valueLength name value
 */
import { isUint8Array } from 'node:util/types';
import { ArgumentError } from '../errors.ts';
import { MAX_RECORD_CONTENT } from './constants.ts';

/** What PHP sees in `$_SERVER`. A string goes out as UTF-8, a `Uint8Array` as it is. No NUL in names or values. */
export type Params = Readonly<Record<string, string | Uint8Array>>;

/**
 * The most bytes that `encodePairInto` writes for these, a UTF-16 unit being at most three bytes of UTF-8.
 * Throws FCGI_ERR_INVALID_ARG on a value that is neither.
 */
export function pairBound(name: string, value: string | Uint8Array): number {
  if (typeof value !== 'string' && !isUint8Array(value)) {
    throw invalid(
      `params.${printable(name)}`,
      `the param ${printable(name)} must be a string or a Uint8Array`,
    );
  }
  return Math.min(8 + 3 * name.length + 3 * value.length, MAX_RECORD_CONTENT);
}

/**
 * Writes one pair at `at`; returns the offset behind it. `target` must have `pairBound` bytes left.
 * Throws FCGI_ERR_INVALID_ARG on NUL, FCGI_ERR_PARAM_TOO_LARGE on a pair that no PARAMS record can hold.
 */
export function encodePairInto(target: Buffer, at: number, name: string, value: string | Uint8Array): number {
  if (typeof value === 'string' && name.length > 0 && name.length + value.length < MAX_RECORD_CONTENT - 8) {
    // Nearly all pairs are ASCII: write them as such and fall back when a unit says otherwise.
    const nameAt = encodeLengthInto(target, encodeLengthInto(target, at, name.length), value.length);
    const valueAt = writeAscii(target, nameAt, name);
    const end = valueAt < 0 ? -1 : writeAscii(target, valueAt, value);
    if (end >= 0) return end;
  }
  return encodeAnyPairInto(target, at, name, value);
}

function encodeAnyPairInto(target: Buffer, at: number, name: string, value: string | Uint8Array): number {
  const nameBytes = Buffer.from(name, 'utf8');
  const valueBytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  if (nameBytes.length === 0) throw invalid('params', 'a param has an empty name');
  if (nameBytes.includes(0)) throw invalid('params', `the param name ${printable(name)} contains NUL`);
  if (valueBytes.includes(0))
    throw invalid(`params.${printable(name)}`, `the param ${printable(name)} contains NUL`);
  const lengths = lengthOfLength(nameBytes.length) + lengthOfLength(valueBytes.length);
  const size = lengths + nameBytes.length + valueBytes.length;
  if (size > MAX_RECORD_CONTENT) {
    throw new ArgumentError(
      'FCGI_ERR_PARAM_TOO_LARGE',
      `params.${printable(name)}`,
      `the param ${printable(name)} takes ${size} bytes; a PARAMS record holds ${MAX_RECORD_CONTENT}, and PHP-FPM reads no pair from two`,
    );
  }
  encodeLengthInto(target, encodeLengthInto(target, at, nameBytes.length), valueBytes.length);
  target.set(nameBytes, at + lengths);
  target.set(valueBytes, at + lengths + nameBytes.length);
  return at + size;
}

function lengthOfLength(length: number): number {
  return length < 0x80 ? 1 : 4;
}

/** -1 where there is a NUL or anything beyond ASCII, which are for the slow path. */
function writeAscii(target: Uint8Array, at: number, text: string): number {
  const { length } = text;
  // No branch within the loop, which is most of what a request costs to encode: NUL makes `seen` negative, and
  // anything beyond ASCII sets a bit above the seventh.
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    seen |= unit | (unit - 1);
    target[at + i] = unit;
  }
  return seen >>> 7 === 0 ? at + length : -1;
}

function encodeLengthInto(target: Uint8Array, at: number, length: number): number {
  if (length < 0x80) {
    target[at] = length;
    return at + 1;
  }
  target[at] = (length >>> 24) | 0x80;
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
  return at + 4;
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}

/** Names come from outside: shown in messages without control characters, and not at full length. */
function printable(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name).slice(1, -1);
}
