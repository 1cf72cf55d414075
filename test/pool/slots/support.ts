/** A server that knows FCGI_GET_VALUES, or does with it what a test says. */
import type { Socket } from 'node:net';
import { GET_VALUES, GET_VALUES_RESULT, pair, record } from '../../testing/support/wire.ts';
import { answer, type RawServer, rawServer } from '../support.ts';

/** How PHP-FPM answers it. */
export const VALUES: Buffer = record(GET_VALUES_RESULT, pair('FCGI_MPXS_CONNS', '0'), 0, 0);

/** Of a server: what it does with FCGI_GET_VALUES, and with a request. */
export interface Behaviour {
  /** `nth` on its connection, from 1. */
  readonly onValues: (socket: Socket, nth: number) => void;
  readonly onRequest?: (socket: Socket, id: number) => void;
}

/** `seen` notes each connection: a V for each FCGI_GET_VALUES, an R for a request, a K for one with FCGI_KEEP_CONN. */
export async function behaving(
  behaviourOf: (nth: number) => Behaviour,
): Promise<RawServer & { seen: string[] }> {
  const seen: string[] = [];
  const server = await rawServer((socket, nth) => {
    const { onValues, onRequest = (one) => one.end(answer()) } = behaviourOf(nth);
    let values = 0;
    seen[nth - 1] = '';
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      for (let at = 0; at < bytes.length && !socket.destroyed && socket.writable; ) {
        const length = 8 + bytes.readUInt16BE(at + 4) + (bytes[at + 6] ?? 0);
        if (bytes[at + 1] === GET_VALUES) {
          seen[nth - 1] += 'V';
          onValues(socket, ++values);
          at += length;
        } else {
          if (bytes[at + 1] === 1) {
            seen[nth - 1] += bytes[at + 10] === 1 ? 'K' : 'R';
            onRequest(socket, bytes.readUInt16BE(at + 2));
          }
          at += length;
        }
      }
    });
  }, 'tcp');
  return Object.assign(server, { seen });
}

export const answers = (socket: Socket): unknown => socket.write(VALUES);
export const modern: Behaviour = { onValues: answers };
/** PHP-FPM before 8.2 closes behind its answer. */
export const old: Behaviour = {
  onValues: (socket) => socket.end(VALUES),
};
