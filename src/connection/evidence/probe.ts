/**
 * After the server's FIN and before any response byte: is there still somebody at the other end? Writes empty STDIN
 * records (8 bytes; a worker that discards does not mind) and looks whether its kernel takes them. A unix socket says
 * so at once. Over tcp a reset comes a round trip later, and nobody knows how long that is by now: so it takes the
 * acknowledgement of the other kernel, or a reset.
 */
import { encodeStdinTerminator } from '../../protocol/encoder.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionSocket } from '../socket/socket.ts';
import type { Acknowledged } from './acknowledged.ts';
import type { AfterFin } from './evidence.ts';
import { wasRequestReset } from './orphans.ts';

export interface Probed {
  readonly socket: ConnectionSocket;
  readonly transport: 'unix' | 'tcp';
  /** ms, as measured at connect. */
  readonly roundTrip: number;
  /** See Connected. */
  readonly isLocal: boolean;
  /** tcp: has the other end taken all that was sent? */
  readonly acknowledged?: (() => Promise<Acknowledged>) | undefined;
  /** See Connected. */
  readonly hasResetOrphans?: ((sentAt: number) => Promise<boolean>) | undefined;
  /** See Connected. */
  readonly hasRetransmitted?: ((sentAt: number) => Promise<boolean>) | undefined;
}

/** A handshake slower than this says more of a busy event loop than of the network. */
const LONGEST_ROUND_TRIP = 1_000;

/** ms after the write: the acknowledgement is sent at once, or delayed by 40 ms; the rest is for a slow network. */
const LOOKS = [8, 50, 120, 300, 700, 1_500, 3_000];

/**
 * Calls `done` once: `'not-probed'` where there is neither an acknowledgement nor a reset. Returns a function that gives
 * up without an answer. `sinceSent`: ms from the request to the FIN.
 */
export function probe(
  { socket, transport, roundTrip, acknowledged, hasResetOrphans }: Probed,
  sinceSent: number,
  requestId: number,
  clock: Clock,
  done: (result: AfterFin) => void,
): () => void {
  const sentAt = clock.monotonic() - sinceSent;
  // One step follows the other, and the last one ends it: nothing is pending then.
  let stopped = false;
  let cancel = (): void => {};
  const finish = (result: AfterFin): void => {
    if (!stopped) done(result);
  };
  const write = (refused: () => void, taken: () => void): void => {
    socket.write(encodeStdinTerminator(requestId), (error) => {
      if (error) refused();
      else if (!stopped) taken();
    });
  };
  const refused = (): void => finish('refused');
  const firstRefused = async (): Promise<void> => {
    const resetsOrphans = (await hasResetOrphans?.(sentAt)) ?? true;
    finish(wasRequestReset({ resetsOrphans, sinceSent, roundTrip }) ? 'first-refused' : 'refused');
  };
  const look = (nth: number): void => {
    const after = LOOKS[nth];
    if (after === undefined || acknowledged === undefined) {
      finish('not-probed');
      return;
    }
    cancel = clock.after(after - (LOOKS[nth - 1] ?? 0), () => {
      void acknowledged().then((state) => {
        if (stopped) return;
        // Its ports are free once it has been reset, and may be another connection's by now: it must be there still.
        if (state === 'all') write(refused, () => finish('accepted'));
        else if (state === 'unknown') finish('not-probed');
        // It has been reset: Node, which has read the end already, learns it from a write.
        else if (state === 'gone') write(refused, () => look(nth + 1));
        else look(nth + 1);
      });
    });
  };
  if (transport === 'unix') {
    write(refused, () => finish('accepted'));
  } else {
    const pause = 2 * Math.min(roundTrip, LONGEST_ROUND_TRIP) + 2;
    cancel = clock.after(pause, () =>
      write(
        () => void firstRefused(),
        () => look(0),
      ),
    );
  }
  return () => {
    stopped = true;
    cancel();
  };
}
