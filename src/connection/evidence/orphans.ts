/**
 * Was it the request that was reset behind the server's FIN? It is where the two crossed: the server had closed before the
 * request came. But a kernel short of memory for sockets (Linux: tcp_max_orphans, tcp_mem) also resets what a dead
 * process leaves, right behind the FIN, although nothing was left unread.
 */
/**
 * ms, beside a round trip: the FIN of a server that had closed was on its way by then. The rest is for a busy machine
 * (seen: up to 7). What is killed later may have run.
 */
const CROSSED_WITHIN = 10;

export interface ResetBehindFin {
  /** The kernel at the other end may reset what a dead process leaves. */
  readonly resetsOrphans: boolean;
  /** ms from the sending to the FIN. */
  readonly sinceSent: number;
  /** ms, as measured at connect. */
  readonly roundTrip: number;
}

export function wasRequestReset({ resetsOrphans, sinceSent, roundTrip }: ResetBehindFin): boolean {
  return !resetsOrphans || sinceSent <= roundTrip + CROSSED_WITHIN;
}
