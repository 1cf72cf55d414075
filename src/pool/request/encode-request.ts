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
import type { Job } from '../job.ts';
import type { PoolSettings } from '../options.ts';
import { checkUnchanged, type PlannedBody } from './body.ts';
import type { ParamFacts } from './param-facts.ts';
import { MAX_SLICE } from './send-body.ts';

/** A body of up to this many bytes goes out in one piece with the params; a larger one is not copied. */
const MAX_INLINE_BODY = 16 * 1024;

/** A request of this size, bytes, is read in one go: libfcgi's buffer is the smallest that is known. */
const ONE_READ = 8 * 1024;

const NO_PARTS: readonly Uint8Array[] = [];

/** A request, encoded for a fresh or a kept connection, and not sent yet. */
export interface Encoded {
  readonly exchange: Exchange;
  readonly first: Buffer;
  /** What follows; null: `sendBody` sends it, piece by piece. */
  readonly parts: readonly Uint8Array[] | null;
  /** STDIN is ended with the last byte of the body. */
  readonly terminate: boolean;
}

/**
 * Throws FCGI_ERR_INVALID_ARG, FCGI_ERR_PARAM_TOO_LARGE, and FCGI_ERR_BODY_LENGTH where the body is not what it was. `connection`:
 * the kept one that it will go out on, or null. `terminate`: this one's STDIN is ended at once. `doubtsBody`: it is not known whether
 * PHP reads a body first, as it is believed to.
 */
export function encodeRequest(
  encoder: RequestEncoder,
  job: Job,
  body: PlannedBody,
  settings: PoolSettings,
  keepConn: boolean,
  connection: Connection | null,
  terminate: boolean,
  doubtsBody: boolean,
): Encoded {
  const { request, snapshot } = job;
  checkUnchanged(body);
  const requests = connection?.requests ?? 0;
  const requestId = requestIdOf(requests + 1);
  const inline = body.kind === 'bytes' && body.length <= MAX_INLINE_BODY;
  const params = snapshot.params(encoder);
  const first = encoder.complete(params, {
    requestId,
    keepConn,
    terminateFirst: connection?.owesTerminator ?? false,
    idBefore: requests === 0 ? requestId : requestIdOf(requests),
    stdin: inline ? body.bytes : null,
    terminateLast: inline && terminate,
    contentLength: body.addLength ? body.length : null,
  });
  const readFirst = isBodyReadBeforeScript(snapshot.facts, body.length, settings);
  const isBodyDoubted = readFirst && doubtsBody;
  const exchange = new Exchange(
    job,
    requestId,
    keepConn,
    readFirst && !isBodyDoubted,
    request.headersTimeout ?? settings.headersTimeout,
    request.bodyTimeout ?? settings.bodyTimeout,
  );
  exchange.onLateStderr = lateStderr(job);
  exchange.script = snapshot.facts.script;
  exchange.hasBody = body.length > 0;
  exchange.mayLeaveBody = body.length > 0 && !settings.knowsPostDataReading;
  exchange.isBodyDoubted = isBodyDoubted;
  exchange.wasBodyLost = job.doubtsBody;
  exchange.isLarge = body.length > 0 && (!inline || first.length > ONE_READ);
  if (body.kind === 'stream' || body.length > MAX_SLICE) return { exchange, first, parts: null, terminate };
  if (terminate) exchange.terminatorAfter = 0;
  if (inline) return { exchange, first, parts: NO_PARTS, terminate };
  const parts = encodeStdin(body.bytes, requestId);
  if (terminate) parts.push(encodeStdinTerminator(requestId));
  return { exchange, first, parts, terminate };
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
  { method, contentType, changesPhp }: ParamFacts,
  length: number,
  { postDataReading }: PoolSettings,
): boolean {
  return length === 0 || isReadBeforeScript({ method, contentType, length, changesPhp, postDataReading });
}
