/**
 * A reset that answers a second copy of a request says nothing of the first: that has come to its end, its acknowledgement was lost,
 * and a firewall, or another host that has taken the address over, resets what our kernel sends once more.
 */
import type { Exchange } from '../exchange.ts';
import type { PrematureClose } from './premature-close.ts';
import type { Probed } from './probe.ts';

/** Bytes that fit into one packet on every network that carries IPv6. */
const ONE_PACKET = 1_200;
/** ms. A single packet is sent once more after 200 at the earliest (Linux, TCP_RTO_MIN); less a bit for our clock. */
const AGAIN_AFTER = 150;
/** ms. The last one of several sooner: after two round trips and two ticks of the kernel (tail loss probe, RFC 8985). */
const LAST_AGAIN_AFTER = 2;

/** `bytes` that were sent, `elapsed` ms ago at the most. */
export function mayBeSentTwice(bytes: number, elapsed: number): boolean {
  return elapsed > (bytes <= ONE_PACKET ? AGAIN_AFTER : LAST_AGAIN_AFTER);
}

/**
 * An error has come, all of the request having been sent: may our kernel have sent some of it twice? Calls `done` once, at once
 * where there was no time for it, or no proof hangs on it. Returns a function that gives up without an answer, or null.
 */
export function askSentTwice(
  { hasRetransmitted }: Probed,
  { sentAt, readBeforeScript, terminatorSent, bytesReceived }: Exchange,
  sent: { readonly bytes: number; readonly now: number },
  cause: PrematureClose,
  done: (seen: PrematureClose) => void,
): (() => void) | null {
  const mayBeProof = cause.sign === 'reset' && readBeforeScript && !terminatorSent && bytesReceived === 0;
  if (hasRetransmitted === undefined || !mayBeProof || !mayBeSentTwice(sent.bytes, sent.now - sentAt)) {
    done(cause);
    return null;
  }
  let stopped = false;
  void hasRetransmitted(sentAt).then((sentTwice) => {
    if (!stopped) done({ ...cause, sentTwice });
  });
  return () => {
    stopped = true;
  };
}
