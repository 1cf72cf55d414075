/** Puts a job's request on a connection: head and body, all at once or piece by piece. */
import type { Connection } from '../../connection/connection.ts';
import { isReadBeforeScript } from '../../connection/evidence/read-before-script.ts';
import { Exchange } from '../../connection/exchange.ts';
import { MAX_RECORD_CONTENT } from '../../protocol/constants.ts';
import {
  encodeStdin,
  encodeStdinTerminator,
  type RequestEncoder,
  requestIdOf,
} from '../../protocol/encoder.ts';
import type { DispatchRequest } from '../dispatcher.ts';
import type { Job } from '../job.ts';
import type { PoolSettings } from '../options.ts';
import { textParam } from '../retry/resend.ts';
import type { PlannedBody } from './body.ts';

/** A body of up to this many bytes goes out in one piece with the params; a larger one is not copied. */
const MAX_INLINE_BODY = 16 * 1024;

/**
 * Of more bytes than this, the rest waits until the socket has taken these: else a server that takes a large body
 * slowly could not be told from one that takes nothing.
 */
const MAX_SLICE = 2 * MAX_RECORD_CONTENT;

/** Params by which php.ini is changed for a request, and by which php-fpm takes its body from a file. */
const CHANGES_PHP = ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'REQUEST_BODY_FILE'];

const NO_PARTS: readonly Uint8Array[] = [];

/** A request, encoded for a fresh or a kept connection, and not sent yet. */
export interface Encoded {
  readonly exchange: Exchange;
  readonly first: Buffer;
  /** So many bytes of the body are in it. */
  readonly inline: number;
  /** What follows; null: `sendBody` sends it, piece by piece. */
  readonly parts: readonly Uint8Array[] | null;
  /** STDIN is ended with the last byte of the body. */
  readonly terminate: boolean;
}

/**
 * Throws FCGI_ERR_INVALID_ARG and FCGI_ERR_PARAM_TOO_LARGE. `connection`: the kept one that it
 * will go out on, or null. `terminate`: this one's STDIN is ended at once.
 */
export function encodeRequest(
  encoder: RequestEncoder,
  job: Job,
  body: PlannedBody,
  settings: PoolSettings,
  keepConn: boolean,
  connection: Connection | null,
  terminate: boolean,
): Encoded {
  const { request } = job;
  const requests = connection?.requests ?? 0;
  const requestId = requestIdOf(requests + 1);
  const inline = body.kind === 'bytes' && body.length <= MAX_INLINE_BODY;
  const first = encoder.encode({
    requestId,
    params: request.params,
    keepConn,
    terminateFirst: connection?.owesTerminator ?? false,
    idBefore: requests === 0 ? requestId : requestIdOf(requests),
    stdin: inline ? body.bytes : null,
    terminateLast: inline && terminate,
    contentLength: body.addLength ? body.length : null,
  });
  const exchange = new Exchange(
    job,
    requestId,
    keepConn,
    isBodyReadBeforeScript(request, body.length, settings),
    request.headersTimeout ?? settings.headersTimeout,
    request.bodyTimeout ?? settings.bodyTimeout,
  );
  exchange.onLateStderr = lateStderr(job);
  exchange.script = textParam(request, 'SCRIPT_FILENAME');
  if (body.kind === 'stream' || body.length > MAX_SLICE)
    return { exchange, first, inline: 0, parts: null, terminate };
  if (terminate) exchange.terminatorAfter = 0;
  if (inline) return { exchange, first, inline: body.length, parts: NO_PARTS, terminate };
  const parts = encodeStdin(body.bytes, requestId);
  if (terminate) parts.push(encodeStdinTerminator(requestId));
  return { exchange, first, inline: 0, parts, terminate };
}

/** Its response has ended: what `onStderr` throws now concerns nobody. */
function lateStderr({ request: { onStderr }, caller }: Job): Exchange['onLateStderr'] {
  if (!onStderr) return null;
  return (chunk) => {
    try {
      caller.runInAsyncScope(onStderr, undefined, chunk);
    } catch {}
  };
}

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
      for (let at = 0; at < piece.length; at += MAX_SLICE) {
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

/** See Evidence.readBeforeScript. `length`: of the body, bytes. */
export function isBodyReadBeforeScript(
  request: DispatchRequest,
  length: number,
  settings: PoolSettings,
): boolean {
  // The usual case first: a GET needs no look at its params.
  if (length === 0) return true;
  return isReadBeforeScript({
    method: textParam(request, 'REQUEST_METHOD'),
    contentType: textParam(request, 'CONTENT_TYPE'),
    length,
    changesPhp: CHANGES_PHP.some((name) => Object.hasOwn(request.params, name)),
    postDataReading: settings.postDataReading,
  });
}
