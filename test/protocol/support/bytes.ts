/** Bytes by hand: nothing here comes from src, so that a test and the code cannot share a mistake. */
import { ArgumentError, ProtocolError } from '../../../src/errors.ts';

/** `'01 06 0001'` as bytes; blanks and line ends are for the eye. */
export function hex(text: string): Buffer {
  const digits = text.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hex: ${text}`);
  return Buffer.from(digits, 'hex');
}

export interface RawRecord {
  readonly type: number;
  readonly id: number;
  readonly content: Buffer;
  readonly padding: number;
}

/** Whole records, as the specification's drawing has them in 3.3. Throws unless the bytes end with one. */
export function splitRecords(bytes: Buffer): RawRecord[] {
  const records: RawRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt8(at) !== 1) throw new Error(`no version at ${at}`);
    const start = at + 8;
    const end = start + bytes.readUInt16BE(at + 4);
    const padding = bytes.readUInt8(at + 6);
    if (end + padding > bytes.length) throw new Error(`the record at ${at} is cut`);
    const type = bytes.readUInt8(at + 1);
    records.push({ type, id: bytes.readUInt16BE(at + 2), content: bytes.subarray(start, end), padding });
    at = end + padding;
  }
  return records;
}

export function joinRecord(type: number, content: Uint8Array, padding = 0, id = 1): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(id, 2);
  header.writeUInt16BE(content.length, 4);
  header.writeUInt8(padding, 6);
  // Padding is not said to be zero: a decoder that looks into it must be found out.
  return Buffer.concat([header, content, Buffer.alloc(padding, 0xff)]);
}

/** `bytes` in pieces that end at the given places, in any order, twice or beyond the end. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const borders = [0, ...places.filter((at) => at < bytes.length).toSorted((a, b) => a - b), bytes.length];
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
}

/** The code, and the option where there is one, of the error that `action` throws. */
export function failure(action: () => unknown): {
  code: string;
  option?: string;
  message: string;
  hint: string;
} {
  try {
    action();
  } catch (error) {
    if (error instanceof ArgumentError) {
      return { code: error.code, option: error.option, message: error.message, hint: error.hint };
    }
    if (error instanceof ProtocolError) return { code: error.code, message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('it did not fail');
}
