import type { Exchange } from '../exchange.ts';
import type { PrematureClose } from './premature-close.ts';
import type { Probed } from './probe.ts';

/**
 * An error has come, all of the request having been sent: may our kernel have sent some of it twice? Calls `done` once, at once
 * where no proof hangs on it. Returns a function that gives up without an answer, or null.
 */
export function askSentTwice(
  { hasRetransmitted }: Probed,
  { sentAt, readBeforeScript, terminatorSent, bytesReceived }: Exchange,
  cause: PrematureClose,
  done: (seen: PrematureClose) => void,
): (() => void) | null {
  const mayBeProof = cause.sign === 'reset' && readBeforeScript && !terminatorSent && bytesReceived === 0;
  if (hasRetransmitted === undefined || !mayBeProof) {
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
