/**
 * Was the request executed? The one place that says what the signs on a socket mean. `'no'` is a proof. Each rule was
 * measured on PHP-FPM 8.2, over unix and tcp; most rest on what its kernel does with bytes that nobody reads, so they
 * hold only where it is known that PHP-FPM is there, and nothing in between.
 * This folder: was a request executed? Pure verdicts over plain facts, and the few looks that gather those facts.
 * It imports what its parent may.
 */
import type { Executed } from '../../errors.ts';

/** What ended the exchange. */
export type Sign =
  /** No connection came about; or through a proxy, and no worker has accepted it, so that nothing was sent. */
  | 'not-connected'
  /** A write failed: EPIPE or ECONNRESET. */
  | 'write-refused'
  /** A read failed: ECONNRESET. */
  | 'reset'
  /** The server closed its side; then `afterFin` says what its kernel did with our probes. */
  | 'fin'
  /** We gave up (a timeout, an abort, a framing error, a body cut short), or the network did. */
  | 'other';

/** What a server does with bytes sent after its FIN. */
export type AfterFin =
  /** Its kernel has taken them: over unix at once, over tcp it has acknowledged them. Somebody reads, or discards. */
  | 'accepted'
  /** tcp: not all of the request had come when the server ended its side. */
  | 'crossed'
  /** tcp: the very first write failed, so a reset had come before it, and for the request (orphans.ts): that met a closed socket. */
  | 'first-refused'
  /** The first was taken and a later one not (tcp), or the first was refused (unix). */
  | 'refused'
  /** Not tried, or there was neither an acknowledgement nor a reset. */
  | 'not-probed';

export interface Evidence {
  readonly sign: Sign;
  readonly afterFin: AfterFin;
  /** A record of the response, under the request's own id. */
  readonly answered: boolean;
  /** Bytes, too few to tell of which request. */
  readonly ofUnknownRequest: boolean;
  /** The connection had served a request before. */
  readonly reused: boolean;
  /** ms from the sending to the sign. */
  readonly elapsed: number;
  /** The other end is on this machine. */
  readonly isLocal: boolean;
  /** By a unix socket: its kernel sends no reset but where whoever had the other end has left bytes unread, or has never accepted it. */
  readonly isUnix: boolean;
  /** Another machine: our kernel has sent something twice since, or does not say that it has not. */
  readonly sentTwice: boolean;
  /** Not one byte of the request was taken by the kernel. */
  readonly nothingAccepted: boolean;
  /** All of the request, its body included, was taken by the kernel. */
  readonly wholeAccepted: boolean;
  /** The empty STDIN record that ends the request has been sent. */
  readonly terminatorSent: boolean;
  /** PHP has read all of the request before the script starts; see read-before-script.ts. */
  readonly readBeforeScript: boolean;
  readonly hasBody: boolean;
  /** See KnownServer. */
  readonly isPhpFpm: boolean;
  /** See KnownServer: a proxy takes bytes that PHP never sees, and the other way round. */
  readonly isDirect: boolean;
}

/**
 * ms. A worker at `pm.max_requests` leaves right behind its last answer; seen: 0.14 to 20, and 1,400 on a machine with
 * six times as much to do as it can. What ends its side much later has had the request for long.
 */
const LEAVES_WITHIN = 10_000;

/**
 * ms. Load balancers and firewalls reset a connection on which nothing has moved for a while, on both sides, although the
 * script runs on: seldom before half a minute, after four or five by default.
 */
const CUT_AFTER = 10_000;

export function judgeExecuted(seen: Evidence): Executed {
  if (seen.answered) return 'yes';
  if (seen.sign === 'not-connected' || seen.nothingAccepted) return 'no';
  // Where we closed, PHP takes the end of our bytes for the end of the body and runs what it has.
  if (seen.sign === 'other' || seen.ofUnknownRequest || !seen.isPhpFpm) return 'unknown';
  // A proxy that goes in the middle of a body ends it for PHP, which runs what it has; in the middle of the params it runs nothing.
  const needsAll = seen.readBeforeScript && (seen.isDirect || !seen.hasBody);
  // The script cannot have begun without bytes that never left this machine.
  if (needsAll && !seen.wholeAccepted) return 'no';
  const needsUnread = needsAll && !seen.terminatorSent;
  if (needsUnread && seen.sign === 'reset' && seen.isUnix) return 'no';
  if (!seen.isDirect) return 'unknown';
  switch (seen.sign) {
    case 'reset':
      // A socket closed with bytes unread is reset. Without the terminator those bytes are part of the request.
      return needsUnread && (seen.isLocal || isOfServer(seen)) ? 'no' : 'unknown';
    case 'fin':
      // A worker at pm.max_requests half-closes and discards what comes; one that died takes nothing more.
      if (seen.afterFin === 'accepted')
        return seen.reused && seen.elapsed <= LEAVES_WITHIN ? 'no' : 'unknown';
      // PHP has to have read all of it, and reads no request behind the end of its own side.
      if (seen.afterFin === 'crossed') return seen.readBeforeScript ? 'no' : 'unknown';
      return seen.afterFin === 'first-refused' && needsUnread ? 'no' : 'unknown';
    default:
      return 'unknown';
  }
}

/** Is it a proof that it was not run only if PHP reads the body before the script? */
export function restsOnBody(seen: Evidence): boolean {
  const judged = (readBeforeScript: boolean): Executed => judgeExecuted({ ...seen, readBeforeScript });
  return judged(true) === 'no' && judged(false) !== 'no';
}

/** Was the reset sent by the server's own kernel, and for the first copy of the request? See readRetransmissions. */
function isOfServer({ elapsed, sentTwice }: Evidence): boolean {
  return elapsed <= CUT_AFTER && !sentTwice;
}
