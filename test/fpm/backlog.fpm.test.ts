import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended } from '../pool/support.ts';
import { executionLog, type Fpm, startFpm, waitFor } from './support/index.ts';

it('unix: the backlog is full (EAGAIN): it is proven that it did not run, and the hint says so', async () => {
  await using fpm = await startFpm({ maxChildren: 1, listenBacklog: 1 });
  await using pool = new Pool(fpm.address, { connectTimeout: 300 });
  const log = executionLog(fpm.root);
  const script = fpm.script('page.php', log.php);
  const post = (id: string) => ({
    params: { ...script, REQUEST_METHOD: 'POST', REQUEST_ID: id },
    body: 'a=1',
  });
  // One for the only worker, two for a backlog of 1; the worker takes its own when it is ready to.
  const sockets: Socket[] = [];
  await waitFor(async () => {
    const socket = await another(fpm.endpoint);
    if (socket !== null) sockets.push(socket);
    return sockets.length === 3;
  });
  await expect(pool.request(post('1'))).rejects.toMatchObject({
    code: 'FCGI_ERR_CONNECT_TIMEOUT',
    executed: 'no',
    hint: expect.stringContaining('backlog'),
  });
  const waiting = ended(pool, post('2'));
  for (const socket of sockets) socket.destroy();
  await waiting;
  expect(log.executions()).toEqual(new Map([['2', 1]]));
});

/** One more connection, or null where the backlog has no room for it. */
function another(endpoint: Fpm['endpoint']): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint, () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EAGAIN' ? resolve(null) : reject(error),
    );
  });
}
