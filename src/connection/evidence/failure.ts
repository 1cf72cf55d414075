/** From how an exchange was lost to the error its caller gets, with all that was seen. */
import {
  type Executed,
  type FailureFacts,
  FcgiError,
  isError,
  ProtocolError,
  SocketError,
} from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type Evidence, judgeExecuted, restsOnBody } from './evidence.ts';
import { hint } from './hint.ts';
import type { PrematureClose } from './premature-close.ts';
import type { KnownBodyReading, ServerFacts } from './server.ts';

/** What the connection knows besides. */
export interface Circumstances {
  readonly requests: number;
  readonly sending: boolean;
  /** Taken by the kernel. */
  readonly bytesSent: number;
  readonly transport: 'unix' | 'tcp';
  /** See Connected. */
  readonly isLocal: boolean;
  readonly server: ServerFacts;
  /** As of now. */
  readonly bodyReading: KnownBodyReading;
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

export function isRefusal(error: unknown): boolean {
  return error instanceof FcgiError && REFUSALS.has(error.code);
}

/**
 * An FcgiError that has learned the facts, or what the caller gave (an abort's reason) as it is. Where all that is
 * missing to a proof is to know the server, the exchange keeps how to judge once that is known.
 */
export function exchangeError(cause: PrematureClose, exchange: Exchange, at: Circumstances): unknown {
  const error = errorOf(cause, exchange);
  if (!(error instanceof FcgiError)) return error;
  loseTrust(exchange, at.bodyReading);
  const seen = evidenceOf(cause, exchange, at);
  const executed = isRefusal(error) ? ofRefused(exchange) : judgeExecuted(seen);
  error.learn({
    phase: exchange.phase(at.sending),
    reused: exchange.reused,
    requestsOnConnection: at.requests,
    bytesSent: at.bytesSent,
    bytesReceived: exchange.bytesReceived,
    executed,
    stderr: exchange.stderr,
  });
  const { isPhpFpm, isDirect } = at.server;
  const best: ServerFacts = { isPhpFpm: isPhpFpm ?? true, isDirect: isDirect ?? true };
  const atBest = known(seen, best);
  exchange.restsOnBody = exchange.mayLeaveBody && restsOnBody(atBest);
  const { restsOnBody: rests, isBodyDoubted, isOtherEnded } = exchange;
  const isUnreadIfDirect = cause.sign === 'reset' && judgeExecuted(atBest) === 'no';
  const facts = { ...at, restsOnBody: rests, isBodyDoubted, isOtherEnded, isUnreadIfDirect };
  if (executed === 'unknown' && (isPhpFpm === null || isDirect === null)) {
    const factsOf = (server: ServerFacts): Partial<FailureFacts> => {
      const verdict = judgeExecuted(known(seen, server));
      return { executed: verdict, hint: hint({ ...error, executed: verdict }, cause, { ...facts, server }) };
    };
    if (factsOf(best).executed === 'no') exchange.onceKnown = factsOf;
  }
  return error.learn({ hint: error.hint === '' ? hint(error, cause, facts) : error.hint });
}

function known(seen: Evidence, { isPhpFpm, isDirect }: ServerFacts): Evidence {
  return { ...seen, isPhpFpm: isPhpFpm === true, isDirect: isDirect === true };
}

/**
 * Its worker may have run another request meanwhile, which told it not to read bodies first; or another one, lost as this one is, has
 * shown that none does. What was believed when it was sent holds only if it is believed still.
 */
function loseTrust(exchange: Exchange, bodyReading: KnownBodyReading): void {
  if (bodyReading.isChanged && exchange.hasBody) {
    exchange.readBeforeScript = false;
    exchange.mayLeaveBody = false;
  } else if (
    exchange.mayLeaveBody &&
    exchange.readBeforeScript &&
    bodyReading.isDoubted(exchange.startedAt)
  ) {
    exchange.readBeforeScript = false;
    exchange.isBodyDoubted = true;
  }
}

/** A refusal says that the request was not begun, and contradicts itself behind a piece of its response. */
function ofRefused(exchange: Exchange): Executed {
  if (exchange.headDone) return 'yes';
  return exchange.outputSeen ? 'unknown' : 'no';
}

function evidenceOf(cause: PrematureClose, exchange: Exchange, at: Circumstances): Evidence {
  const writeRefused = cause.sign === 'write-refused';
  return {
    sign: cause.sign,
    afterFin: cause.afterFin,
    answered: exchange.isAnswered,
    ofUnknownRequest: exchange.ofUnknownRequest,
    reused: exchange.reused,
    elapsed: cause.after ?? at.elapsed,
    isLocal: at.isLocal,
    isUnix: at.transport === 'unix',
    sentTwice: cause.sentTwice ?? false,
    nothingAccepted: exchange.nothingAccepted,
    // After a FIN nobody knows which of the last writes the other end still took: as many as can be.
    wholeAccepted:
      cause.sign === 'fin' ? exchange.handedOver : !at.sending && !(writeRefused && !exchange.terminatorSent),
    terminatorSent: exchange.terminatorSent,
    readBeforeScript: exchange.readBeforeScript,
    hasBody: exchange.hasBody,
    isPhpFpm: at.server.isPhpFpm === true,
    isDirect: at.server.isDirect === true,
  };
}

function errorOf(cause: PrematureClose, exchange: Exchange): unknown {
  const when = exchange.bytesReceived > 0 ? 'before the response was complete' : 'before it answered';
  if (cause.sign === 'other') {
    // Of the socket: a network that is gone. All else is our own, or what the caller gave.
    if (cause.reason !== 'reset' || !isError(cause.error)) return cause.error;
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
