/**
 * After the server's FIN and before any response byte: had the request come, and is there still somebody at the other end?
 *
 * tcp: a FIN acknowledges all that had come when it was sent. What is not acknowledged behind it came later, or not at all. A worker at
 * `pm.max_requests` ends its side before it is sent the request, and its kernel acknowledges that 40 ms later.
 *
 * Else it writes empty STDIN records (8 bytes; a worker that discards does not mind) and looks whether its kernel takes
 * them. A unix socket says so at once. Over tcp a reset comes a round trip later, and nobody knows how long that is by
 * now: so it takes the acknowledgement of the other kernel, or a reset.
 */
import { HEADER_LENGTH } from '../../protocol/constants.ts';
import { encodeStdinTerminator } from '../../protocol/encoder.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionSocket } from '../socket/socket.ts';
import type { Unacknowledged } from './acknowledged.ts';
import type { AfterFin } from './evidence.ts';
import { wasRequestReset } from './orphans.ts';

export interface Probed {
  readonly socket: ConnectionSocket;
  readonly transport: 'unix' | 'tcp';
  /** ms, as measured at connect. */
  readonly roundTrip: number;
  /** See Connected. */
  readonly isLocal: boolean;
  /** See Connected. */
  readonly unacknowledged?: (() => Promise<Unacknowledged>) | undefined;
  /** See Connected. */
  readonly hasResetOrphans?: ((sentAt: number) => Promise<boolean>) | undefined;
  /** See Connected. */
  readonly hasRetransmitted?: ((sentAt: number) => Promise<boolean>) | undefined;
}

/** As an Exchange has it. */
export interface RequestBeforeFin {
  readonly requestId: number;
  /** See Evidence. */
  readonly readBeforeScript: boolean;
  /** See Evidence. */
  readonly terminatorSent: boolean;
}

/** A handshake slower than this says more of a busy event loop than of the network. */
const LONGEST_ROUND_TRIP = 1_000;

/**
 * ms after the write: the acknowledgement is sent at once, or delayed by 40 ms; the rest is for a slow network. A worker that is reloaded
 * leaves while it discards: the sooner it is looked for, the fewer are missed.
 */
const LOOKS = [1, 8, 50, 120, 300, 700, 1_500, 3_000];

/**
 * Calls `done` once: `'not-probed'` where there is neither an acknowledgement nor a reset. Returns a function that gives
 * up without an answer. `sinceSent`: ms from the request to the FIN.
 */
export function probe(
  { socket, transport, roundTrip, isLocal, unacknowledged, hasResetOrphans }: Probed,
  { requestId, readBeforeScript, terminatorSent }: RequestBeforeFin,
  sinceSent: number,
  clock: Clock,
  done: (result: AfterFin) => void,
): () => void {
  const sentAt = clock.monotonic() - sinceSent;
  // One step follows the other, and the last one ends it: nothing is pending then.
  let stopped = false;
  let cancel = (): void => {};
  // Bytes that were sent, and that PHP need not have to begin.
  let beside = readBeforeScript ? (terminatorSent ? HEADER_LENGTH : 0) : Number.POSITIVE_INFINITY;
  const finish = (result: AfterFin): void => {
    if (!stopped) done(result);
  };
  const write = (refused: () => void, taken: () => void): void => {
    beside += HEADER_LENGTH;
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
    if (after === undefined || unacknowledged === undefined) {
      finish('not-probed');
      return;
    }
    cancel = clock.after(after - (LOOKS[nth - 1] ?? 0), () => {
      void unacknowledged().then((left) => {
        if (stopped) return;
        // Its ports are free once it has been reset, and may be another connection's by now: it must be there still.
        if (left === 0) write(refused, () => finish('accepted'));
        else if (left === 'unknown') finish('not-probed');
        // It has been reset: Node, which has read the end already, learns it from a write.
        else if (left === 'gone') write(refused, () => look(nth + 1));
        else if (left > beside) write(refused, () => finish('crossed'));
        else look(nth + 1);
      });
    });
  };
  const writeFirst = (): void =>
    write(
      () => void firstRefused(),
      () => look(0),
    );
  if (transport === 'unix') write(refused, () => finish('accepted'));
  // On this machine (Linux) a reset of the request has come before the FIN is read. Each ms is one in which a worker may be told to leave.
  else if (isLocal && unacknowledged !== undefined) writeFirst();
  else {
    let isWaiting = true;
    cancel = clock.after(2 * Math.min(roundTrip, LONGEST_ROUND_TRIP) + 2, () => {
      isWaiting = false;
      writeFirst();
    });
    const early = (then: () => void): void => {
      cancel();
      then();
    };
    void unacknowledged?.().then((left) => {
      if (stopped || !isWaiting) return;
      // What has been taken is not what a reset would be for: none is waited for.
      if (left === 0) early(() => write(refused, () => look(0)));
      else if (typeof left === 'number' && left > beside)
        early(() =>
          write(
            () => void firstRefused(),
            () => finish('crossed'),
          ),
        );
    });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
