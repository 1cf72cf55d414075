/**
 * Who is at the other end? On connections of their own, with no request at risk: FCGI_GET_VALUES, which PHP-FPM answers
 * in its own way, and then a record that no FastCGI server can want, with another behind it. A worker of PHP-FPM reads
 * the header of the first and closes; what it leaves unread turns that into a reset. A TCP proxy has read it all, and
 * ends the connection in good order. Or it resets whatever has ended, or hands each end on as it was: so it must be seen
 * as well that a worker which leaves nothing unread does not reset, and that nobody takes anything more then.
 */
import { RecordType } from '../protocol/constants.ts';
import { encodeGetValues } from '../protocol/encoder.ts';
import { encodeRecord } from '../protocol/record.ts';
import { ResponseDecoder } from '../protocol/response.ts';
import type { Clock } from './clock.ts';
import { probe } from './evidence/probe.ts';
import type { Connected } from './socket/connect.ts';

export interface Examined {
  /** What it answered; null: nothing that is an answer. */
  readonly values: ReadonlyMap<string, unknown> | null;
  /** A connection ends as the server has ended it: nothing stands in between. Null: it has not shown. */
  readonly isDirect: boolean | null;
}

interface Look {
  readonly values: Examined['values'];
  /** How the connection ended. `'half-closed'`: by a FIN, and what we send on is still taken. */
  readonly end: 'reset' | 'fin' | 'half-closed' | 'silence';
}

interface Looking {
  readonly transport: 'unix' | 'tcp';
  readonly clock: Clock;
  /** ms, for each connection. */
  readonly timeout: number;
  readonly stop: AbortSignal;
}

/** Resolves in time, or when it is told to stop, and closes the connection. `unread`: records. */
function look(
  connected: Connected,
  { transport, clock, timeout, stop }: Looking,
  { ask, unread }: { readonly ask: boolean; readonly unread: 0 | 1 },
): Promise<Look> {
  const { socket, incoming, roundTrip, acknowledged } = connected;
  return new Promise((resolve) => {
    let values: Look['values'] = null;
    let over = false;
    let stopProbe: (() => void) | null = null;
    const finish = (end: Look['end']): void => {
      if (over) return;
      over = true;
      cancel();
      stopProbe?.();
      stop.removeEventListener('abort', stopped);
      socket.destroy();
      resolve({ values, end });
    };
    const stopped = (): void => finish('silence');
    const cancel = clock.after(timeout, stopped);
    stop.addEventListener('abort', stopped);
    const provoke = (): void => {
      const malformed = encodeRecord(RecordType.BEGIN_REQUEST, 0);
      socket.write(unread === 0 ? malformed : Buffer.concat([malformed, malformed]));
    };
    const decoder = new ResponseDecoder({
      onStdout() {},
      onStderr() {},
      onEndRequest() {},
      onValues(answer) {
        values = answer;
        provoke();
      },
    });
    incoming.receive = (bytes, length) => {
      try {
        decoder.push(bytes, length);
      } catch {
        finish('silence');
      }
    };
    socket.on('end', () => {
      if (unread > 0) finish('fin');
      else
        stopProbe = probe({ socket, transport, roundTrip, acknowledged }, 1, clock, (afterFin) =>
          finish(afterFin === 'accepted' ? 'half-closed' : 'fin'),
        );
    });
    socket.on('error', (error) => {
      // The probe's own writes fail too, and it knows by that.
      if (stopProbe === null) finish(error.code === 'ECONNRESET' ? 'reset' : 'silence');
    });
    if (ask) {
      decoder.ask();
      socket.write(encodeGetValues());
    } else {
      provoke();
    }
  });
}

const LOOKS = 3;

/** On as many connections as it takes. Rejects as `connect` does. */
export async function examineServer(connect: () => Promise<Connected>, looking: Looking): Promise<Examined> {
  const again = async (ask: boolean, unread: 0 | 1): Promise<Look> =>
    look(await connect(), looking, { ask, unread });
  for (let tries = LOOKS; ; tries--) {
    const first = await again(true, 1);
    const { values } = first;
    // A server that is just leaving ends the connection without a word: its successor will tell.
    if (values === null && first.end !== 'silence' && tries > 1) continue;
    if (values === null) return { values, isDirect: null };
    // PHP-FPM before 8.2 closes behind its answer, and has not seen the rest.
    const { end } = first.end === 'fin' ? await again(false, 1) : first;
    if (end !== 'reset') return { values, isDirect: end === 'fin' ? false : null };
    const whole = await again(false, 0);
    return { values, isDirect: whole.end === 'silence' ? null : whole.end === 'fin' };
  }
}
