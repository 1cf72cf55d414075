/** From how an exchange was lost to the error its caller gets, with all that was seen. */
import { FcgiError, ProtocolError, SocketError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { evidence } from './evidence.ts';
import { hint } from './hint.ts';
import type { Lost } from './lost.ts';

/** What the connection knows besides. */
export interface Circumstances {
  readonly requests: number;
  readonly sending: boolean;
  /** Taken by the kernel. */
  readonly bytesSent: number;
  readonly transport: 'unix' | 'tcp';
  readonly proxied: boolean;
  /** ms since the request was sent. */
  readonly elapsed: number;
}

/** The server says in END_REQUEST that it has not begun (specification, 5.5). */
const REFUSALS: ReadonlySet<string> = new Set([
  'FCGI_ERR_OVERLOADED',
  'FCGI_ERR_CANT_MPX_CONN',
  'FCGI_ERR_UNKNOWN_ROLE',
]);

export function headMissing(): ProtocolError {
  return new ProtocolError('FCGI_ERR_HEAD_MISSING', 'the response ended before its head did');
}

/** An FcgiError that has learned the facts, or what the caller gave (an abort's reason) as it is. */
export function lost(cause: Lost, exchange: Exchange, at: Circumstances): unknown {
  const error = errorOf(cause, exchange);
  if (!(error instanceof FcgiError)) return error;
  const writeRefused = cause.sign === 'write-refused';
  const executed = evidence({
    sign: cause.sign,
    afterFin: cause.afterFin,
    bytesReceived: exchange.bytesReceived,
    nothingAccepted: exchange.nothingAccepted,
    // After a FIN nobody knows which of the last writes the other end still took: as many as can be.
    wholeAccepted:
      cause.sign === 'fin' ? exchange.handedOver : !at.sending && !(writeRefused && !exchange.terminatorSent),
    terminatorSent: exchange.terminatorSent,
    readBeforeScript: exchange.readBeforeScript,
    proxied: at.proxied,
  });
  error.learn({
    phase: exchange.phase(at.sending),
    reused: exchange.reused,
    requestsOnConnection: at.requests,
    bytesSent: Math.max(0, at.bytesSent),
    bytesReceived: exchange.bytesReceived,
    executed: REFUSALS.has(error.code) ? 'no' : executed,
    stderr: exchange.stderr,
  });
  return error.learn({ hint: error.hint === '' ? hint(error, cause, at.transport, at.elapsed) : error.hint });
}

function errorOf(cause: Lost, exchange: Exchange): unknown {
  const when = exchange.bytesReceived > 0 ? 'before the response was complete' : 'before it answered';
  if (cause.sign === 'other') {
    // Of the socket: a network that is gone. All else is our own, or what the caller gave.
    if (cause.reason !== 'reset' || !(cause.error instanceof Error)) return cause.error;
    return new SocketError(
      'FCGI_ERR_SOCKET_CLOSED',
      `the connection failed ${when}: ${cause.error.message}`,
      {
        cause: cause.error,
      },
    );
  }
  if (cause.sign === 'fin') {
    return new SocketError('FCGI_ERR_SOCKET_CLOSED', `the server closed the connection ${when}`);
  }
  return new SocketError('FCGI_ERR_SOCKET_RESET', `the server reset the connection ${when}`, {
    cause: cause.error,
  });
}
