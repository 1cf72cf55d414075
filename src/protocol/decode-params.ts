/** Name-value pairs (specification 3.4), decoded. */
import { ProtocolError } from '../errors.ts';
import { byteAt } from './record.ts';

/**
 * The pairs of one record's content, values as bytes; of a name that comes twice the last wins, as in PHP.
 * Throws FCGI_ERR_PARAMS where a length points past the end.
 */
export function decodeParams(content: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const pairs = new Map<string, Buffer>();
  let at = 0;
  let start = 0;
  const length = (): number => {
    if (at >= bytes.length) throw cutPair(start);
    const first = byteAt(bytes, at);
    if (first < 0x80) {
      at += 1;
      return first;
    }
    if (at + 4 > bytes.length) throw cutPair(start);
    at += 4;
    return bytes.readUInt32BE(at - 4) & 0x7fff_ffff;
  };
  while (at < bytes.length) {
    start = at;
    const nameLength = length();
    const valueLength = length();
    const valueAt = at + nameLength;
    if (valueAt + valueLength > bytes.length) throw cutPair(start);
    pairs.set(bytes.toString('utf8', at, valueAt), bytes.subarray(valueAt, valueAt + valueLength));
    at = valueAt + valueLength;
  }
  return pairs;
}

function cutPair(at: number): ProtocolError {
  return new ProtocolError('FCGI_ERR_PARAMS', `the name-value pair at byte ${at} is longer than its record`);
}
