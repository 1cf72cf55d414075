/** Encodes a job's request for a connection: the params, and the body where it is short. A long body is left to send-body.ts. */
import type { Connection } from '../../connection/connection.ts';
import { isReadBeforeScript } from '../../connection/evidence/read-before-script.ts';
import { Exchange } from '../../connection/exchange.ts';
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
import { checkUnchanged, type PlannedBody } from './body.ts';
import { MAX_SLICE } from './send-body.ts';

/** A body of up to this many bytes goes out in one piece with the params; a larger one is not copied. */
const MAX_INLINE_BODY = 16 * 1024;

/** Params by which php.ini is changed for a request, and by which php-fpm takes its body from a file. */
const CHANGES_PHP = ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'REQUEST_BODY_FILE'];

/** A request of this size, bytes, is read in one go: libfcgi's buffer is the smallest that is known. */
const ONE_READ = 8 * 1024;

const NO_PARTS: readonly Uint8Array[] = [];

/** A request, encoded for a fresh or a kept connection, and not sent yet. */
export interface Encoded {
  readonly exchange: Exchange;
  readonly first: Buffer;
  /** Where `first` lies. */
  readonly memory: Buffer;
  /** What follows; null: `sendBody` sends it, piece by piece. */
  readonly parts: readonly Uint8Array[] | null;
  /** STDIN is ended with the last byte of the body. */
  readonly terminate: boolean;
}

/**
 * Throws FCGI_ERR_INVALID_ARG, FCGI_ERR_PARAM_TOO_LARGE, and FCGI_ERR_BODY_LENGTH where the body is not what it was. `connection`:
 * the kept one that it will go out on, or null. `terminate`: this one's STDIN is ended at once.
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
  checkUnchanged(body);
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
  const { memory } = encoder;
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
  exchange.isLarge = body.length > 0 && (!inline || first.length > ONE_READ);
  if (body.kind === 'stream' || body.length > MAX_SLICE)
    return { exchange, first, memory, parts: null, terminate };
  if (terminate) exchange.terminatorAfter = 0;
  if (inline) return { exchange, first, memory, parts: NO_PARTS, terminate };
  const parts = encodeStdin(body.bytes, requestId);
  if (terminate) parts.push(encodeStdinTerminator(requestId));
  return { exchange, first, memory, parts, terminate };
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
