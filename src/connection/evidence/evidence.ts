/**
 * Was the request executed? The one place that says what the signs on a socket mean. Each rule was measured on
 * PHP-FPM 8.2, over unix and tcp; they rest on what its kernel does with bytes that nobody reads.
 */
import type { Executed } from '../../errors.ts';

/** What ended the exchange. */
export type Sign =
  /** No connection came about. */
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
  /** Still taken, after a few round trips: it reads and discards until we close. */
  | 'accepted'
  /** tcp: the very first write failed, so a reset had come before it: the request itself met a closed socket. */
  | 'first-refused'
  /** The first was taken and a later one not (tcp), or the first was refused (unix). */
  | 'refused'
  | 'not-probed';

export interface Seen {
  readonly sign: Sign;
  readonly afterFin: AfterFin;
  /** Of the response. */
  readonly bytesReceived: number;
  /** Not one byte of the request was taken by the kernel. */
  readonly nothingAccepted: boolean;
  /** All of the request, its body included, was taken by the kernel. */
  readonly wholeAccepted: boolean;
  /** The empty STDIN record that ends the request has been sent. */
  readonly terminatorSent: boolean;
  /**
   * The server has read all of the request before the script starts: there is no body, or the method is POST and
   * the body is small enough (PHP with `enable_post_data_reading`, its default; within `post_max_size`).
   */
  readonly readBeforeScript: boolean;
  /** The kernel at the other end is a proxy's: it takes bytes that PHP never sees, and the other way round. */
  readonly proxied: boolean;
}

/** `'no'` only where it is proven. */
export function evidence(seen: Seen): Executed {
  if (seen.bytesReceived > 0) return 'yes';
  if (seen.sign === 'not-connected' || seen.nothingAccepted) return 'no';
  // Where we closed, PHP takes the end of our bytes for the end of the body and runs what it has.
  if (seen.proxied || seen.sign === 'other') return 'unknown';
  // The script cannot have begun without bytes that never left this machine.
  if (seen.readBeforeScript && !seen.wholeAccepted) return 'no';
  switch (seen.sign) {
    case 'reset':
      // A socket closed with bytes unread is reset. Without the terminator those bytes are part of the request.
      return seen.readBeforeScript && !seen.terminatorSent ? 'no' : 'unknown';
    case 'fin':
      // A worker at pm.max_requests half-closes and discards what comes; one that died takes nothing more.
      if (seen.afterFin === 'accepted') return 'no';
      return seen.afterFin === 'first-refused' && seen.readBeforeScript && !seen.terminatorSent
        ? 'no'
        : 'unknown';
    default:
      return 'unknown';
  }
}
