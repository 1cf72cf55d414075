/**
 * Reads a request as PHP-FPM does, faults included: what it takes for broken ends the connection without a word.
 */
import { ProtocolError } from '../errors.ts';
import {
  decodeBeginRequest,
  decodeHeader,
  decodeParams,
  encodePairInto,
  encodeRecord,
  FIXED_BODY_LENGTH,
  Flag,
  HEADER_LENGTH,
  MAX_CONTENT_LENGTH,
  NULL_REQUEST_ID,
  pairBound,
  type RecordHeader,
  RecordType,
  Role,
  ValueName,
  VERSION,
} from '../protocol/index.ts';
import type { ExactSocket } from './exact-socket.ts';

export interface Received {
  readonly requestId: number;
  readonly keepConn: boolean;
  readonly params: ReadonlyMap<string, Buffer>;
}

/** Null where the connection is to be closed at once: it was closed, or bytes were wrong. */
export async function receiveRequest(socket: ExactSocket, isPhpFpm = true): Promise<Received | null> {
  let header = await readHeader(socket);
  // The terminator that the request before still owed.
  while (header?.type === RecordType.STDIN && header.contentLength === 0) header = await readHeader(socket);
  if (!header || isTooLong(header)) return null;
  if (header.type === RecordType.GET_VALUES) {
    return (await answerValues(socket, header, isPhpFpm)) ? receiveRequest(socket, isPhpFpm) : null;
  }
  if (header.type !== RecordType.BEGIN_REQUEST || header.contentLength !== FIXED_BODY_LENGTH) return null;
  const body = await readContent(socket, header);
  if (!body) return null;
  const { role, flags } = decodeBeginRequest(body);
  if (role < Role.RESPONDER || role > Role.FILTER) return null;
  const params = await receiveParams(socket);
  return params && { requestId: header.requestId, keepConn: (flags & Flag.KEEP_CONN) !== 0, params };
}

async function receiveParams(socket: ExactSocket): Promise<Map<string, Buffer> | null> {
  const params = new Map<string, Buffer>();
  for (;;) {
    const header = await readHeader(socket);
    if (!header) return null;
    if (header.type !== RecordType.PARAMS || header.contentLength === 0) return params;
    const content = isTooLong(header) ? null : await readContent(socket, header);
    const pairs = content && parsePairs(content);
    if (!pairs) return null;
    for (const [name, value] of pairs) params.set(name, value);
  }
}

/** Each record is parsed alone: a pair that goes on in the next one is broken. */
function parsePairs(content: Buffer): Map<string, Buffer> | null {
  try {
    return decodeParams(content);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** PHP-FPM 8.2 knows one value, and keeps the connection; others know all three. False: it was no question. */
async function answerValues(socket: ExactSocket, header: RecordHeader, isPhpFpm: boolean): Promise<boolean> {
  const content = await readContent(socket, header);
  const asked = content && parsePairs(content);
  if (!asked) return false;
  const known: [string, string][] = [[ValueName.MPXS_CONNS, '0']];
  if (!isPhpFpm) known.push([ValueName.MAX_CONNS, '1'], [ValueName.MAX_REQS, '1']);
  const pairs = known
    .filter(([name]) => asked.has(name))
    .map(([name, value]) => {
      const pair = Buffer.alloc(pairBound(name, value));
      return pair.subarray(0, encodePairInto(pair, 0, name, value));
    });
  await socket.write(encodeRecord(RecordType.GET_VALUES_RESULT, NULL_REQUEST_ID, Buffer.concat(pairs)));
  return true;
}

/** Null at the end of the stream and at version 0: PHP-FPM takes all others for 1. */
export async function readHeader(socket: ExactSocket): Promise<RecordHeader | null> {
  const bytes = await socket.read(HEADER_LENGTH);
  if (bytes.length < HEADER_LENGTH || bytes[0] === 0) return null;
  bytes[0] = VERSION;
  return decodeHeader(bytes);
}

async function readContent(socket: ExactSocket, header: RecordHeader): Promise<Buffer | null> {
  const length = header.contentLength + header.paddingLength;
  const bytes = await socket.read(length);
  return bytes.length === length ? bytes.subarray(0, header.contentLength) : null;
}

/** PHP-FPM reads content and padding into a buffer of 65,535 bytes. */
function isTooLong(header: RecordHeader): boolean {
  return header.contentLength + header.paddingLength > MAX_CONTENT_LENGTH;
}
