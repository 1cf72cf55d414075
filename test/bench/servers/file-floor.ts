/** The floor of a static file: node:http that sends FILE's bytes from memory, with the head that a file has, whatever is asked for. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [file = ''] = process.argv.slice(2);
const bytes = readFileSync(file);
const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/css; charset=utf-8');
  response.setHeader('Last-Modified', 'Fri, 27 Nov 2026 01:00:00 GMT');
  response.setHeader('ETag', '"19abcdef000-dac"');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () =>
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.on('disconnect', () => process.exit());
