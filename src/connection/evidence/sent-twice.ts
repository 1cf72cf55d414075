import type { Exchange } from '../exchange.ts';
import type { PrematureClose } from './premature-close.ts';
import type { Probed } from './probe.ts';

/** Part of a PrematureClose. */
type SentTwice = Pick<PrematureClose, 'sentTwice'>;

/**
 * A reset has come, all of the request having been sent: may our kernel have sent some of it twice? Calls `done` once, at once
 * where no proof hangs on it. Returns a function that gives up without an answer, or null.
 */
export function askSentTwice(
  { hasRetransmitted }: Probed,
  { sentAt, readBeforeScript, terminatorSent, bytesReceived }: Exchange,
  done: (seen: SentTwice) => void,
): (() => void) | null {
  if (hasRetransmitted === undefined || !readBeforeScript || terminatorSent || bytesReceived > 0) {
    done({ sentTwice: false });
    return null;
  }
  let stopped = false;
  void hasRetransmitted(sentAt).then((sentTwice) => {
    if (!stopped) done({ sentTwice });
  });
  return () => {
    stopped = true;
  };
}
