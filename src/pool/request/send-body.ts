/** Sends the body of a request piece by piece, as fast as the socket takes it. */
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import { MAX_RECORD_CONTENT } from '../../protocol/constants.ts';
import { encodeStdin, encodeStdinTerminator } from '../../protocol/encoder.ts';
import { checkUnchanged, type PlannedBody } from './body.ts';

/**
 * Of more bytes than this, the rest waits until the socket has taken these: else a server that takes a large body
 * slowly could not be told from one that takes nothing.
 */
export const MAX_SLICE: number = 2 * MAX_RECORD_CONTENT;

/** Sends a body as the socket takes it; ends when the body or the exchange does. Never rejects. */
export async function sendBody(
  connection: Connection,
  exchange: Exchange,
  body: PlannedBody,
  terminate: boolean,
): Promise<void> {
  const { length } = body;
  let sent = 0;
  try {
    if (length === 0) connection.writer.continue(exchange, terminatorRecords(terminate, exchange), true);
    for (let i = 0; ; i++) {
      const piece = body.kind === 'stream' ? await body.stream.piece(i) : i === 0 ? body.bytes : null;
      if (piece === null || !connection.takes(exchange)) return;
      const size = body.kind === 'stream' ? piece.length : length;
      for (let at = 0; at < size; at += MAX_SLICE) {
        checkUnchanged(body);
        const slice = piece.subarray(at, at + MAX_SLICE);
        sent += slice.length;
        const parts = encodeStdin(slice, exchange.requestId);
        if (sent === length) parts.push(...terminatorRecords(terminate, exchange));
        if (!connection.writer.continue(exchange, parts, sent === length)) await connection.writer.drained();
        if (!connection.takes(exchange)) return;
      }
    }
  } catch (error) {
    if (connection.takes(exchange)) connection.fail(error, 'aborted');
  }
}

function terminatorRecords(terminate: boolean, exchange: Exchange): Uint8Array[] {
  if (!terminate) return [];
  exchange.terminatorAfter = 0;
  return [encodeStdinTerminator(exchange.requestId)];
}
