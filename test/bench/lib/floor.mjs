// The client floor: pre-encoded bytes on bare sockets, END_REQUEST counted by the length of the answer, nothing parsed.
import { connect } from 'node:net';

/** `address`: a socket path. Gives `run(count)`, with one request at a time on each of `connections` sockets. */
export async function clientFloor(address, request, answerLength, connections) {
  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(address, () => resolve(socket)).once('error', reject);
        }),
    ),
  );
  return {
    run: (count) =>
      new Promise((resolve) => {
        let sent = 0;
        let done = 0;
        for (const socket of sockets) {
          let received = 0;
          socket.removeAllListeners('data');
          socket.on('data', (chunk) => {
            received += chunk.length;
            if (received < answerLength) return;
            received = 0;
            done++;
            if (done === count) resolve();
            else if (sent < count) {
              sent++;
              socket.write(request);
            }
          });
          if (sent < count) {
            sent++;
            socket.write(request);
          }
        }
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
