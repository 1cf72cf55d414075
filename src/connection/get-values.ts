/**
 * FCGI_GET_VALUES (specification 4.1) on a connection that has carried nothing yet. The answer shows that a process of the
 * server has accepted the connection. A handshake does not: the server's kernel has done that, or a proxy.
 */
import { encodeGetValues } from '../protocol/encoder.ts';
import { ResponseDecoder } from '../protocol/response.ts';
import type { Clock } from './clock.ts';
import type { Connected } from './socket/connect.ts';

export interface GetValuesOptions {
  readonly clock: Clock;
  /** ms in all; 0: none. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly times: 1 | 2;
  /** The second one is not sent in one go with the first, but behind its answer. */
  readonly inTurn: boolean;
  /** Looked at every quarter of a second: there will be no answer here, or others are there for it. */
  readonly isHopeless?: () => boolean;
}

const ONCE = encodeGetValues();
const TWICE = Buffer.concat([ONCE, ONCE]);

/** The record, or two of them in one go. */
export function getValuesRecords(times: 1 | 2): Buffer {
  return times === 1 ? ONCE : TWICE;
}

/** ms between two looks. */
const LOOK_INTERVAL = 250;

export interface GetValuesResult {
  /** What it answered; null: nothing. */
  readonly values: ReadonlyMap<string, Buffer> | null;
  /**
   * null: the connection is free for a request. Else it is closed: the server has ended or reset it, behind the first of two
   * answers if there are `values`; what came is no answer; or nothing came in time, while there was hope, or before the signal.
   */
  readonly end: 'fin' | 'reset' | 'nonsense' | 'silence' | 'hopeless' | 'stopped' | null;
}

/** Never rejects. */
export function getValues(
  { socket, incoming }: Connected,
  { clock, timeout, signal, times, inTurn, isHopeless }: GetValuesOptions,
): Promise<GetValuesResult> {
  return new Promise((resolve) => {
    let values: GetValuesResult['values'] = null;
    let due: number = times;
    let over = false;
    const finish = (end: GetValuesResult['end']): void => {
      if (over) return;
      over = true;
      cancel();
      stopLooking();
      signal.removeEventListener('abort', stopped);
      incoming.receive = () => {};
      if (end !== null) socket.destroy();
      resolve({ values, end });
    };
    const stopped = (): void => finish('stopped');
    const cancel = timeout > 0 ? clock.after(timeout, () => finish('silence')) : () => {};
    let stopLooking = (): void => {};
    const look = (): void => {
      if (isHopeless?.()) finish('hopeless');
      else stopLooking = clock.after(LOOK_INTERVAL, look);
    };
    const decoder = new ResponseDecoder({
      onStdout() {},
      onStderr() {},
      onEndRequest() {},
      onValues(answer) {
        values = answer;
        due--;
        if (due === 0) return;
        decoder.ask();
        if (inTurn) socket.write(ONCE);
      },
    });
    incoming.receive = (bytes, length) => {
      try {
        const wasAnswered = due === 0;
        decoder.push(bytes, length);
        if (due > 0) return;
        cancel();
        if (wasAnswered || !decoder.atBorder) finish('nonsense');
        // After a stall of ours the end may have come long ago: a request must not be sent behind it.
        else clock.afterIo(() => finish(null));
      } catch {
        finish('nonsense');
      }
    };
    socket.on('end', () => finish('fin'));
    socket.on('error', () => finish('reset'));
    signal.addEventListener('abort', stopped);
    if (signal.aborted) {
      stopped();
      return;
    }
    if (isHopeless !== undefined) stopLooking = clock.after(LOOK_INTERVAL, look);
    decoder.ask();
    socket.write(getValuesRecords(inTurn ? 1 : times));
  });
}
