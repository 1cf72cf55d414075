/**
 * A FastCGI server that does next to nothing: one canned answer for each request, which arrives in one write where the
 * connection is kept; else the first bytes get it, and the connection is closed. It never sleeps: else whoever is
 * slower than it would pay for waking it, which costs more than all else, and the floor not.
 */
import { createServer } from 'node:net';
import { cannedAnswer, idOf, values } from '../lib/records.ts';

const [path = ''] = process.argv.slice(2);
const stdout = 'X-Powered-By: PHP/8.2.29\r\nContent-type: text/html; charset=UTF-8\r\n\r\nhello';

const server = createServer((socket) => {
  let keeps: boolean | null = null;
  socket.on('data', (chunk) => {
    if (keeps === null) {
      // The flags of BEGIN_REQUEST, which everybody sends in one piece.
      keeps = ((chunk[10] ?? 0) & 1) === 1;
      if (!keeps) socket.end(cannedAnswer(stdout, idOf(chunk)));
    }
    // A terminator alone (8 bytes) is not a request.
    if (!keeps || chunk.length <= 16) return;
    const id = idOf(chunk);
    socket.write(id === 0 ? values : cannedAnswer(stdout, id));
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
});
server.listen({ path, backlog: 1024 }, () => process.send?.(path));
process.on('disconnect', () => process.exit());

const stayAwake = (): void => void setImmediate(stayAwake);
stayAwake();
