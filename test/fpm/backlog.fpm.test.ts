import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { FcgiError } from '../../src/errors.ts';
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

it('clients who ask again once they are answered are refused nothing, though the worker of every slow script dies in it', async () => {
  await using fpm = await startFpm({ maxChildren: 3 });
  const quick = fpm.script('quick.php', `echo 'quick';`);
  const dying = fpm.script('dying.php', 'usleep(mt_rand(300000, 900000)); posix_kill(getmypid(), 9);');
  await using pool = new Pool(fpm.address, { connections: 4 });
  const until = performance.now() + 5_000;
  const codes: string[] = [];
  let asked = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      const params = asked++ % 4 < 2 ? dying : quick;
      await ended(pool, { params }).catch(({ code }: FcgiError) => codes.push(code));
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  expect(codes.filter((code) => code.startsWith('FCGI_ERR_SOCKET_'))).not.toEqual([]);
  expect(codes).not.toContain('FCGI_ERR_QUEUE_OVERLOAD');
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
