/** Our gateway on node:http: ADDRESS ROOT CONNECTIONS [stream | site]; CONNECTIONS 'default': the options that a pool has by default. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHandler } from '../../../src/gateway/node.ts';
import { Pool } from '../../../src/index.ts';

const [address = '', root = '', connections = '8', mode = ''] = process.argv.slice(2);
const pool = new Pool(
  address,
  connections === 'default' ? {} : { connections: Number(connections), keepaliveTimeout: 60_000 },
);
const unbuffered = mode === 'stream' ? { requestBuffering: false, responseBuffering: 0 } : {};
const wholeSite = mode === 'site' ? { files: true, frontController: '/index.php' } : {};
const options = { root, maxBodySize: 0, ...unbuffered, ...wholeSite };
const server = createServer(createHandler(pool, options));
server.listen(0, '127.0.0.1', () =>
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.on('disconnect', () => process.exit());
