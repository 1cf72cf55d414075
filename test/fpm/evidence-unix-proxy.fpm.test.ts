/**
 * A proxy at a unix socket. Its kernel resets a connection only where the proxy has left bytes unread: of a request without a body PHP
 * then lacks the end of the params. Of a body it may have had a part, and runs what it has.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended, Recorder } from '../pool/support.ts';
import { executionLog, startFpm, startRelay, tempDir, waitFor } from './support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
/** Bytes: with what Node reads of a socket in one go, the params come whole and a body does not. */
const NEARLY_ONE_READ = 60_000;

/** php-fpm, a proxy in front of it that the pool has been told of, and a first page. */
async function stage() {
  const folder = tempDir();
  const fpm = await startFpm({ transport: 'unix', maxChildren: 4 });
  const log = executionLog(fpm.root);
  const path = join(folder.path, 'proxy.sock');
  let asked = 0;
  let goesWithNext = false;
  const relay = await startRelay(
    fpm.endpoint,
    { path },
    {
      takes: (bytes, client, there) => {
        if (bytes.includes('FCGI_MPXS_CONNS')) asked++;
        if (!goesWithNext || !bytes.includes('SCRIPT_FILENAME')) return false;
        goesWithNext = false;
        there.end(bytes);
        client.destroy();
        return true;
      },
    },
  );
  const pool = new Pool(`unix:${path}`, { proxied: true });
  // It is asked a second time once its answer has shown what it is.
  await waitFor(async () => {
    await ended(pool, { params: fpm.script('first.php', `echo 'ok';`) });
    return asked > 1;
  });
  return {
    ...{ fpm, log, pool },
    /** The proxy hands the first piece of the next request on, and goes. */
    goWithNext: (): void => {
      goesWithNext = true;
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
      relay.close();
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
    on.goWithNext();
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
    on.goWithNext();
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
