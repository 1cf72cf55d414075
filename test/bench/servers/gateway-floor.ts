/** The gateway floor: node:http and the client floor, ADDRESS ROOT CONNECTIONS. It can do one page, and nothing else. */
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { cannedRequest, typicalParams } from '../lib/records.ts';

const [address = '', root = '', connections = '8', script = '/hello.php'] = process.argv.slice(2);
const request = cannedRequest(typicalParams(root, script));
const free: Socket[] = [];
const waiting: ServerResponse[] = [];
const busy = new Map<Socket, ServerResponse>();

function run(socket: Socket, response: ServerResponse): void {
  busy.set(socket, response);
  socket.write(request);
}

for (let i = 0; i < Number(connections); i++) {
  const socket = connect({ path: address.replace(/^unix:/, '') });
  socket.on('data', (chunk: Buffer) => {
    if (chunk[chunk.length - 15] !== 3) return;
    const response = busy.get(socket);
    response?.setHeader('Content-Type', 'text/html');
    response?.end(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4, chunk.length - 16));
    const next = waiting.shift();
    if (next) run(socket, next);
    else free.push(socket);
  });
  free.push(socket);
}

const server = createServer((_request, response) => {
  const socket = free.pop();
  if (socket) run(socket, response);
  else waiting.push(response);
});
server.listen(0, '127.0.0.1', () =>
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.on('disconnect', () => process.exit());
