/**
 * The client floor: pre-encoded bytes on bare sockets, the end of an answer found by its END_REQUEST header at the
 * place where it must be, nothing parsed.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Work } from './measure.ts';

export interface Floor {
  readonly run: Work;
  close(): void;
}

/** One request at a time on each of `connections` sockets. An answer ends with the 16 bytes of END_REQUEST. */
export async function clientFloor(to: NetConnectOpts, request: Buffer, connections: number): Promise<Floor> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(to)));
  const run = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let sent = 0;
      let done = 0;
      const next = (socket: Socket): void => {
        if (sent === count) return;
        sent++;
        socket.write(request);
      };
      for (const socket of sockets) {
        socket.removeAllListeners('data');
        socket.on('data', (chunk: Buffer) => {
          if (chunk[chunk.length - 15] !== 3) return;
          done++;
          if (done === count) resolve();
          else next(socket);
        });
        next(socket);
      }
    });
  return {
    run,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function open(to: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(to, () => resolve(socket)).once('error', reject);
  });
}
