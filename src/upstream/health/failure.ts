/** What a failed request says of the server that it failed on. The one place that says so. */
import { isLocalShortage } from '../../connection/socket/connect.ts';
import { ConnectError, errorCode, ProtocolError, SocketError, TimeoutError } from '../../errors.ts';

export type FailureKind =
  /** No connection came about: refused, no socket, no route, no answer to the handshake. */
  | 'unreachable'
  /** No head of a response in time, or no more of its body. The script may be slow: it counts where the server has answered nobody meanwhile. */
  | 'silent'
  /** What came is no FastCGI. */
  | 'nonsense'
  /** The connection ended under the request. The script may have killed its worker: it counts where it happens again and again. */
  | 'died'
  /** Its backlog is full, or it says that it has too much to do: others first, for a moment. */
  | 'busy'
  /** No fault of the server's: a recycled worker, a client that has left, a script's own fault, a shortage of this machine. */
  | 'none';

const FULL_BACKLOG = 'EAGAIN';

export function failureKind(error: unknown): FailureKind {
  if (error instanceof ConnectError) {
    if (isLocalShortage(error) || isLocalShortage(error.cause)) return 'none';
    // The proxy took it, and the one of its servers that was to have it is gone: others may be there.
    if (error.cause instanceof SocketError) return 'died';
    return codeOf(error) === FULL_BACKLOG ? 'busy' : 'unreachable';
  }
  // Of our own waiting for a reader, or of the caller's limit, nothing is heard here.
  if (error instanceof TimeoutError) return error.code === 'FCGI_ERR_TIMEOUT' ? 'none' : 'silent';
  if (error instanceof SocketError) {
    // A worker at pm.max_requests, or a reload: that is how PHP-FPM is meant to be run.
    return error.executed === 'no' && error.reused ? 'none' : 'died';
  }
  return error instanceof ProtocolError ? ofProtocol(error) : 'none';
}

function ofProtocol(error: ProtocolError): FailureKind {
  switch (error.code) {
    case 'FCGI_ERR_OVERLOADED':
      return 'busy';
    // Ours to put right on a kept connection. On a fresh one there is nothing to multiplex.
    case 'FCGI_ERR_CANT_MPX_CONN':
      return error.reused ? 'none' : 'nonsense';
    case 'FCGI_ERR_RECORD_TRAILING':
      return 'none';
    // A script can do that, too.
    case 'FCGI_ERR_HEAD_MISSING':
    case 'FCGI_ERR_HEAD_INVALID':
    case 'FCGI_ERR_HEAD_TOO_LARGE':
      return 'died';
    default:
      return 'nonsense';
  }
}

function codeOf(error: ConnectError): string {
  const cause = error.cause instanceof ConnectError ? error.cause.cause : error.cause;
  return errorCode(cause);
}
