/**
 * Who is at the other end? On a connection of its own, with no request at risk: FCGI_GET_VALUES, which PHP-FPM answers
 * in its own way, and then a record that no FastCGI server can want, with another behind it. A worker of PHP-FPM reads
 * the header of the first and closes; what it leaves unread turns that into a reset. A TCP proxy has read it all, and
 * ends the connection in good order.
 */
import { RecordType } from '../protocol/constants.ts';
import { encodeGetValues } from '../protocol/encoder.ts';
import { encodeRecord } from '../protocol/record.ts';
import { ResponseDecoder } from '../protocol/response.ts';
import type { Clock } from './clock.ts';
import type { Connected } from './socket/connect.ts';

export interface Examined {
  /** What it answered; null: nothing that is an answer. */
  readonly values: ReadonlyMap<string, Buffer> | null;
  /** How the connection ended behind the second record. */
  readonly end: 'reset' | 'fin' | 'silence';
}

/** Resolves within `timeout` ms, or when it is told to stop, and closes the connection. */
function examine(
  { socket, incoming }: Connected,
  clock: Clock,
  timeout: number,
  stop: AbortSignal,
  ask = true,
): Promise<Examined> {
  return new Promise((resolve) => {
    let values: ReadonlyMap<string, Buffer> | null = null;
    let over = false;
    const finish = (end: Examined['end']): void => {
      if (over) return;
      over = true;
      cancel();
      stop.removeEventListener('abort', stopped);
      socket.destroy();
      resolve({ values, end });
    };
    const stopped = (): void => finish('silence');
    const cancel = clock.after(timeout, stopped);
    stop.addEventListener('abort', stopped);
    const provoke = (): void => {
      const malformed = encodeRecord(RecordType.BEGIN_REQUEST, 0);
      socket.write(Buffer.concat([malformed, malformed]));
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
    socket.on('end', () => finish('fin'));
    socket.on('error', (error) => finish(error.code === 'ECONNRESET' ? 'reset' : 'silence'));
    if (ask) {
      decoder.ask();
      socket.write(encodeGetValues());
    } else {
      provoke();
    }
  });
}

const LOOKS = 3;

/** On as many connections as it takes, `timeout` ms for each. Rejects as `connect` does. */
export async function examineServer(
  connect: () => Promise<Connected>,
  clock: Clock,
  timeout: number,
  stop: AbortSignal,
): Promise<Examined> {
  for (let tries = LOOKS; ; tries--) {
    const seen = await examine(await connect(), clock, timeout, stop);
    // A server that is just leaving ends the connection without a word: its successor will tell.
    if (seen.values === null && seen.end !== 'silence' && tries > 1) continue;
    if (seen.values === null || seen.end !== 'fin') return seen;
    // PHP-FPM before 8.2 closes behind its answer, and has not seen the rest.
    const { end } = await examine(await connect(), clock, timeout, stop, false);
    return { values: seen.values, end };
  }
}
