/**
 * Another server takes the address over while the process runs: a TCP proxy is put in between, php-fpm moves behind one. What was
 * known of the one before proves nothing of it.
 */
import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { lookupMock } from '../connection/support.ts';
import { ended, Recorder } from '../pool/support.ts';
import {
  type ExecutionLog,
  executionLog,
  type Fpm,
  startFpm,
  startRelay,
  tempDir,
  waitFor,
} from './support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };

/** Until all is known of the server that stands there now. */
async function trusted(upstream: Upstream, fpm: Fpm): Promise<void> {
  const { examined } = upstream.stats.closed;
  await waitFor(async () => {
    await ended(upstream, { params: fpm.script('page.php', `echo 'ok';`) });
    return upstream.stats.closed.examined > examined;
  });
}

/** A form whose worker dies in the script, on a connection that is kept. */
async function die(upstream: Upstream, fpm: Fpm, log: ExecutionLog): Promise<unknown> {
  const page = await ended(upstream, { params: fpm.script('page.php', `echo 'ok';`) });
  expect(page).toMatchObject({ attempts: 1 });
  const dying = new Recorder();
  const params = {
    ...fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`),
    ...FORM,
    REQUEST_ID: 'die',
  };
  upstream.dispatch({ params, body: 'a=1' }, dying);
  return dying.over;
}

/** ms. */
async function past(time: number): Promise<void> {
  const since = performance.now();
  await waitFor(() => performance.now() - since > time);
}

/** No connection to the one before is left. */
async function idle(upstream: Upstream): Promise<void> {
  await waitFor(() => upstream.stats.connected === 0);
}

it('a proxy behind the same path: a form whose worker dies runs once', async () => {
  using folder = tempDir();
  await using fpm = await startFpm({ transport: 'unix', maxChildren: 4 });
  const log = executionLog(fpm.root);
  const path = join(folder.path, 'fpm.sock');
  if (!('path' in fpm.endpoint)) throw new TypeError('php-fpm listens at no path');
  symlinkSync(fpm.endpoint.path, path);
  await using upstream = new Upstream([`unix:${path}`]);
  await trusted(upstream, fpm);
  await idle(upstream);
  const relay = await startRelay(fpm.endpoint, { path: `${path}.new` });
  renameSync(`${path}.new`, path);
  expect(await die(upstream, fpm, log)).toMatchObject({ executed: 'unknown', attempts: 1 });
  expect(log.executions().get('die')).toBe(1);
  relay.close();
});

it('a proxy at another address of the same name: a form whose worker dies runs once', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 4 });
  const log = executionLog(fpm.root);
  if (!('port' in fpm.endpoint)) throw new TypeError('php-fpm listens at no port');
  const { port } = fpm.endpoint;
  let address = '127.0.0.1';
  const relay = await startRelay(fpm.endpoint, { host: '127.0.0.2', port });
  const mock = lookupMock(() => [{ address, family: 4 }]);
  try {
    await using upstream = new Upstream([`fpm.internal:${port}`]);
    await trusted(upstream, fpm);
    await idle(upstream);
    address = '127.0.0.2';
    expect(await die(upstream, fpm, log)).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(log.executions().get('die')).toBe(1);
    relay.close();
  } finally {
    mock.mockRestore();
  }
});

describe('a proxy at the same port: a form whose worker dies runs once', () => {
  /** php-fpm is stopped, as an operator does it, once it is trusted and `before` is over; and `after` that a proxy to another takes its port. */
  async function replaced(
    options: { readonly keepaliveTimeout?: number },
    before: (upstream: Upstream, page: () => Promise<unknown>) => Promise<unknown>,
    after: (upstream: Upstream, page: () => Promise<unknown>) => Promise<unknown>,
  ): Promise<void> {
    await using behind = await startFpm({ transport: 'tcp', maxChildren: 4 });
    const log = executionLog(behind.root);
    await using first = await startFpm({ transport: 'tcp', maxChildren: 4 });
    await using upstream = new Upstream([first.address], options);
    await trusted(upstream, behind);
    const page = () => ended(upstream, { params: behind.script('page.php', `echo 'ok';`) });
    await before(upstream, page);
    await first.stop();
    await after(upstream, page);
    const relay = await startRelay(behind.endpoint, first.endpoint);
    expect(await die(upstream, behind, log)).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(log.executions().get('die')).toBe(1);
    relay.close();
  }

  it('where a request was refused meanwhile', () =>
    replaced({}, idle, (_, page) =>
      expect(page()).rejects.toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM' }),
    ));

  it('where php-fpm has closed what was idle', () =>
    replaced(
      { keepaliveTimeout: 60_000 },
      // Just behind an answer it may be a worker at pm.max_requests that closes. A busy machine may have used up the lease of one.
      (upstream, page) =>
        waitFor(async () => {
          await page();
          await past(100);
          return upstream.stats.connected === 1;
        }),
      idle,
    ));

  it('where nobody has looked for a second', () => replaced({}, idle, () => past(1_000)));
});
