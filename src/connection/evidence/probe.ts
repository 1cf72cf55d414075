/**
 * After the server's FIN and before any response byte: is there still somebody at the other end? Writes a few empty
 * STDIN records (8 bytes; a worker that discards does not mind) and watches whether its kernel takes them.
 */

import { encodeStdinTerminator } from '../../protocol/encoder.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionSocket } from '../socket/socket.ts';
import type { AfterFin } from './evidence.ts';

/** A handshake slower than this says more of a busy event loop than of the network. */
const LONGEST_ROUND_TRIP = 1_000;

/** How often the other end must take our bytes over tcp, where a reset comes only a round trip later. */
const TCP_WRITES = 3;

/**
 * Calls `done` once. On a unix socket the answer is there at once; over tcp each write is followed by a silence of
 * some round trips (`roundTrip` in ms, as measured at connect), in which a reset to the one before would arrive.
 * Returns a function that gives up without an answer.
 */
export function probe(
  socket: ConnectionSocket,
  clock: Clock,
  transport: 'unix' | 'tcp',
  roundTrip: number,
  done: (result: AfterFin) => void,
): () => void {
  let over = false;
  let cancel = (): void => {};
  const finish = (result: AfterFin): void => {
    if (over) return;
    over = true;
    done(result);
  };
  const pause = 2 * Math.min(roundTrip, LONGEST_ROUND_TRIP) + 2;
  const writes = transport === 'unix' ? 1 : TCP_WRITES;
  const write = (sent: number): void => {
    if (over) return;
    socket.write(encodeStdinTerminator(), (error) => {
      if (error) finish(sent === 0 && transport === 'tcp' ? 'first-refused' : 'refused');
      else if (sent + 1 === writes) finish('accepted');
      else cancel = clock.after(2 * pause, () => write(sent + 1));
    });
  };
  if (transport === 'unix') write(0);
  else cancel = clock.after(pause, () => write(0));
  return () => {
    over = true;
    cancel();
  };
}
