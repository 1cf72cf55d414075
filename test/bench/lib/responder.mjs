// A FastCGI server that does next to nothing: one canned answer for each request, which arrives in one write.
// Run as a child: node responder.mjs SOCKET; prints "ready". Its CPU time is not the client's.
import { createServer } from 'node:net';
import { cannedAnswer } from './records.mjs';

const answer = cannedAnswer('X-Powered-By: PHP/8.2.29\r\nContent-type: text/html; charset=UTF-8\r\n\r\nhello');
const server = createServer((socket) => {
  // A lone terminator (8 bytes) is not a request.
  socket.on('data', (chunk) => {
    if (chunk.length > 16) socket.write(answer);
  });
  socket.on('error', () => socket.destroy());
});
server.listen(process.argv[2], () => console.log('ready'));
process.on('disconnect', () => process.exit());
