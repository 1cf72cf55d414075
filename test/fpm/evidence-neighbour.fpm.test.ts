/** tcp: the kernel lists the sockets of all processes, and one of those may be on the very ports of ours. */
import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Pool } from '../../src/index.ts';
import { ended } from '../pool/support.ts';
import { firstPid } from './support/fpm.ts';
import { executionLog, startFpm, waitFor } from './support/index.ts';
import { localPortTo } from './support/sockets.ts';

const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };

/** A connection that its server has ended, and its program has not closed: many leave thousands of those behind. */
async function leftOpen(host: string, port: number, localPort: number): Promise<AsyncDisposable> {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket.on('error', () => {}).resume());
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const socket = connect({ host, port, localPort, localAddress: '127.0.0.3', allowHalfOpen: true });
  await new Promise((resolve, reject) => socket.on('error', reject).resume().once('end', resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const one of [socket, ...accepted]) one.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('a worker is killed in its script, and a neighbour has left a connection open between the same ports: it ran once', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 1 });
  const log = executionLog(fpm.root);
  const page = fpm.script('page.php', 'echo 1;');
  const wait = fpm.script('wait.php', `${log.php} sleep(20);`);
  await using pool = new Pool(fpm.address, { keepaliveTime: 60_000, keepaliveTimeout: 60_000 });
  for (let i = 0; i < 6; i++) await ended(pool, { params: page });
  const port = 'port' in fpm.endpoint ? fpm.endpoint.port : 0;
  const localPort = await localPortTo(fpm.endpoint, process.pid);
  await using _neighbour = await leftOpen('127.0.0.2', port, localPort);
  const answer = pool.request({ params: { ...wait, ...form, REQUEST_ID: '1' }, body: 'a=1' });
  answer.catch(() => {});
  await waitFor(() => log.executions().has('1'));
  process.kill(firstPid(log.entries().map(({ worker }) => worker)), 'SIGKILL');
  await expect(answer).rejects.toMatchObject({ executed: 'unknown', attempts: 1, reused: true });
  expect(log.executions()).toEqual(new Map([['1', 1]]));
}, 30_000);
