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

/** Resolves within `timeout` ms, and closes the connection. */
export function examine(
  { socket, incoming }: Connected,
  clock: Clock,
  timeout: number,
  ask = true,
): Promise<Examined> {
  return new Promise((resolve) => {
    let values: ReadonlyMap<string, Buffer> | null = null;
    let over = false;
    const finish = (end: Examined['end']): void => {
      if (over) return;
      over = true;
      cancel();
      socket.destroy();
      resolve({ values, end });
    };
    const cancel = clock.after(timeout, () => finish('silence'));
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
