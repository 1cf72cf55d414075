/**
 * A proxy at a unix socket. Its kernel resets a connection only where the proxy has left bytes unread: of a request without a body PHP
 * then lacks the end of the params. Of a body it may have had a part, and runs what it has.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended, Recorder } from '../pool/support.ts';
import { type Endpoint, executionLog, startFpm, tempDir, waitFor } from './support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
/** Bytes: with what Node reads of a socket in one go, the params come whole and a body does not. */
const NEARLY_ONE_READ = 60_000;

/** Each end on as it was; `onRequest` is given the bytes of the next request and what holds them, once it is set. */
async function startRelay(path: string, to: Endpoint) {
  let onRequest: ((client: Socket, there: Socket, bytes: Buffer) => void) | null = null;
  let hasShown = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const there = connect({ ...to, allowHalfOpen: true });
    client.on('data', (bytes) => {
      const take = bytes.includes('SCRIPT_FILENAME') ? onRequest : null;
      if (take === null) there.write(bytes);
      else {
        onRequest = null;
        take(client, there, bytes);
      }
    });
    there.on('data', (bytes) => {
      hasShown ||= bytes.includes('FCGI_MPXS_CONNS');
      client.write(bytes);
    });
    for (const socket of [client, there]) socket.on('error', () => {});
    client.on('close', () => there.end());
    there.on('end', () => client.end());
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    /** php-fpm has shown what it is. */
    hasShown: () => hasShown,
    next: (take: NonNullable<typeof onRequest>): void => {
      onRequest = take;
    },
    [Symbol.dispose]: () => void server.close(),
  };
}

/** php-fpm, a proxy in front of it that the pool has been told of, and a first page. */
async function stage() {
  const folder = tempDir();
  const fpm = await startFpm({ transport: 'unix', maxChildren: 4 });
  const log = executionLog(fpm.root);
  const path = join(folder.path, 'proxy.sock');
  const relay = await startRelay(path, fpm.endpoint);
  const pool = new Pool(`unix:${path}`, { proxied: true });
  await waitFor(async () => {
    await ended(pool, { params: fpm.script('first.php', `echo 'ok';`) });
    return relay.hasShown();
  });
  return {
    ...{ fpm, log, relay, pool },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
      relay[Symbol.dispose]();
      await fpm[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe('a proxy at a unix socket', () => {
  it('that goes with the rest of the params unread: the request is sent again, and runs once', async () => {
    await using on = await stage();
    const params = {
      ...on.fpm.script('page.php', `${on.log.php} echo 'ok';`),
      HTTP_X: 'x'.repeat(NEARLY_ONE_READ),
      HTTP_Y: 'y'.repeat(NEARLY_ONE_READ),
      REQUEST_ID: 'page',
    };
    on.relay.next((client, there, bytes) => {
      there.end(bytes);
      client.destroy();
    });
    expect(await ended(on.pool, { params })).toMatchObject({ attempts: 2 });
    expect([...on.log.executions()]).toEqual([['page', 1]]);
  });

  it('that goes with the rest of a form unread, which PHP runs without: nobody knows, and it is not sent again', async () => {
    await using on = await stage();
    const params = {
      ...on.fpm.script('form.php', `${on.log.php} echo 'ok';`),
      ...FORM,
      HTTP_X: 'x'.repeat(NEARLY_ONE_READ),
      REQUEST_ID: 'form',
    };
    on.relay.next((client, there, bytes) => {
      there.end(bytes);
      client.destroy();
    });
    const lost = new Recorder();
    on.pool.dispatch({ params, body: 'a'.repeat(16_000) }, lost);
    expect(await lost.over).toMatchObject({
      code: 'FCGI_ERR_SOCKET_RESET',
      executed: 'unknown',
      attempts: 1,
    });
    await waitFor(() => on.log.executions().size > 0);
    expect([...on.log.executions()]).toEqual([['form', 1]]);
  });

  it('and a worker that dies in the script: nobody knows, and it runs once', async () => {
    await using on = await stage();
    const params = {
      ...on.fpm.script('die.php', `${on.log.php} posix_kill(getmypid(), 9);`),
      REQUEST_ID: 'die',
    };
    const lost = new Recorder();
    on.pool.dispatch({ params }, lost);
    expect(await lost.over).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect([...on.log.executions()]).toEqual([['die', 1]]);
  });
});
