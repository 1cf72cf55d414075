/** Puts a job's request on a connection: head and body, all at once or piece by piece. */
import type { Connection } from '../connection/connection.ts';
import { Exchange } from '../connection/exchange.ts';
import { encodeStdin, encodeStdinTerminator, type RequestEncoder } from '../protocol/encoder.ts';
import { textParam } from './again.ts';
import type { BodyStream, PlannedBody } from './body.ts';
import type { DispatchRequest } from './dispatcher.ts';
import type { Job } from './job.ts';
import type { PoolSettings } from './options.ts';

/** A body of up to this many bytes goes out in one piece with the params; a larger one is not copied. */
const INLINE = 16 * 1024;

/**
 * A POST body of up to this many bytes is taken to be read by PHP before its script starts: `post_max_size` is 8 MiB
 * by default, and of a body beyond it PHP reads nothing at that point.
 */
const READ_BEFORE_SCRIPT = 2 * 1024 * 1024;

const NO_PARTS: readonly Uint8Array[] = [];

/** A request, encoded for a fresh or a kept connection, and not sent yet. */
export interface Encoded {
  readonly exchange: Exchange;
  readonly first: Buffer;
  /** What follows; null: a stream, piece by piece. */
  readonly parts: readonly Uint8Array[] | null;
  /** STDIN is ended with the last byte of the body. */
  readonly terminate: boolean;
}

/**
 * Throws FCGI_ERR_INVALID_ARG and FCGI_ERR_PARAM_TOO_LARGE. `owesTerminator`: the connection does, for its request
 * before. `terminate`: this one's STDIN is ended at once.
 */
export function encode(
  encoder: RequestEncoder,
  job: Job,
  body: PlannedBody,
  settings: PoolSettings,
  keepConn: boolean,
  owesTerminator: boolean,
  terminate: boolean,
): Encoded {
  const { request } = job;
  const inline = body.kind === 'bytes' && body.length <= INLINE;
  const first = encoder.encode({
    params: request.params,
    keepConn,
    terminateFirst: owesTerminator,
    stdin: inline ? body.bytes : null,
    terminateLast: inline && terminate,
    contentLength: body.addLength ? body.length : null,
  });
  const exchange = new Exchange(
    job,
    keepConn,
    settings.backend === 'php-fpm' && isReadBeforeScript(request, body.length),
    request.headersTimeout ?? settings.headersTimeout,
    request.bodyTimeout ?? settings.bodyTimeout,
  );
  exchange.script = textParam(request, 'SCRIPT_FILENAME');
  if (terminate && body.kind === 'bytes') exchange.terminatorAfter = 0;
  if (inline) return { exchange, first, parts: NO_PARTS, terminate };
  if (body.kind === 'stream') return { exchange, first, parts: null, terminate };
  const parts = encodeStdin(body.bytes);
  if (terminate) parts.push(encodeStdinTerminator());
  return { exchange, first, parts, terminate };
}

/** Sends the pieces of a stream as the socket takes them; ends when the stream or the exchange does. Never rejects. */
export async function pump(
  connection: Connection,
  exchange: Exchange,
  stream: BodyStream,
  length: number,
  terminate: boolean,
): Promise<void> {
  let sent = 0;
  try {
    if (length === 0) connection.write(exchange, ending(terminate, exchange), true);
    for (let i = 0; ; i++) {
      const piece = await stream.piece(i);
      if (piece === null || !connection.takes(exchange)) return;
      sent += piece.length;
      const parts = encodeStdin(piece);
      if (sent === length) parts.push(...ending(terminate, exchange));
      if (!connection.write(exchange, parts, sent === length)) await connection.drained();
      if (!connection.takes(exchange)) return;
    }
  } catch (error) {
    if (connection.takes(exchange)) connection.fail(error, 'aborted');
  }
}

function ending(terminate: boolean, exchange: Exchange): Uint8Array[] {
  if (!terminate) return [];
  exchange.terminatorAfter = 0;
  return [encodeStdinTerminator()];
}

function isReadBeforeScript(request: DispatchRequest, length: number): boolean {
  if (length === 0) return true;
  if (textParam(request, 'REQUEST_METHOD') !== 'POST' || length > READ_BEFORE_SCRIPT) return false;
  // Of a malformed one, or one with too many parts, PHP leaves the rest unread and starts the script all the same.
  return !textParam(request, 'CONTENT_TYPE').toLowerCase().startsWith('multipart/');
}

/** Must not go out on a kept connection: it could not be sent again if that one is just being closed. */
export function needsFresh(body: PlannedBody, settings: PoolSettings, idempotent: boolean): boolean {
  if (settings.proxied && !idempotent) return true;
  return body.kind === 'stream' && body.length > settings.replayBuffer;
}
