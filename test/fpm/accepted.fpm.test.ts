/**
 * PHP-FPM behind a TCP proxy that takes connections for it: a request is sent behind a worker's answer to FCGI_GET_VALUES, so
 * whatever ends the connection before that proves that it was not run.
 */
import { describe, expect, it } from 'vitest';
import { type FcgiError, Pool, type PoolOptions } from '../../src/index.ts';
import { ended, text } from '../pool/support.ts';
import {
  executionLog,
  type Fpm,
  gone,
  startFpm,
  startHaproxy,
  startSocat,
  waitFor,
} from './support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
const TOLD: PoolOptions = { backend: 'php-fpm', proxied: true };

async function startProxy(
  kind: 'haproxy' | 'socat',
  fpm: Fpm,
): Promise<{ address: string } & AsyncDisposable> {
  if (kind === 'haproxy') return startHaproxy({ mode: 'tcp', fpm });
  const socat = await startSocat(fpm);
  return { address: socat.address, [Symbol.asyncDispose]: () => socat.stop() };
}

/** What runs is finished; what waits in the backlog is thrown away. */
async function restart(fpm: Fpm): Promise<void> {
  const { pid } = fpm;
  fpm.kill('SIGQUIT');
  await gone([pid]);
  await fpm.restart();
}

const errorOf = (promise: Promise<unknown>): Promise<FcgiError> =>
  promise.then(
    () => {
      throw new Error('it was answered');
    },
    (error: FcgiError) => error,
  );

describe.each(['haproxy', 'socat'] as const)('behind %s', (kind) => {
  it('what waits in the backlog as php-fpm is stopped is sent again, and runs once', async () => {
    await using fpm = await startFpm({ transport: 'tcp', maxChildren: 1, processControlTimeout: 5 });
    await using proxy = await startProxy(kind, fpm);
    const log = executionLog(fpm.root);
    const page = fpm.script('page.php', `${log.php} usleep(300000); echo 'ok';`);
    await using pool = new Pool(proxy.address, TOLD);
    const post = (id: number): Promise<string> =>
      text(pool, { params: { ...page, ...FORM, REQUEST_ID: `${id}` }, body: 'a=1' });
    const answers = [1, 2, 3, 4, 5].map(post);
    await waitFor(() => log.executions().size === 1);
    // Four of them are in the backlog now, or on their way there.
    await restart(fpm);
    expect(await Promise.all(answers)).toEqual(Array(5).fill('ok'));
    expect([...log.executions().values()]).toEqual(Array(5).fill(1));
    expect(pool.stats.closed['server-closed'] + pool.stats.closed.reset).toBeGreaterThanOrEqual(4);
  });

  it('a POST whose worker dies runs once and is not sent again, as it may have run', async () => {
    await using fpm = await startFpm({ transport: 'tcp', maxChildren: 2 });
    await using proxy = await startProxy(kind, fpm);
    const log = executionLog(fpm.root);
    const die = fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`);
    await using pool = new Pool(proxy.address, TOLD);
    for (let i = 0; i < 3; i++) {
      const params = { ...die, ...FORM, REQUEST_ID: `${i}` };
      expect(await errorOf(pool.request({ params, body: 'a=1' }))).toMatchObject({
        executed: 'unknown',
        attempts: 1,
        hint: expect.stringMatching(/Or the TCP proxy in between ended the connection: by a timeout/),
      });
    }
    expect([...log.executions().values()]).toEqual([1, 1, 1]);
  });

  it('workers that are recycled at every second request: of 100 POSTs all are answered, and run once', async () => {
    await using fpm = await startFpm({ transport: 'tcp', maxChildren: 3, maxRequests: 2 });
    await using proxy = await startProxy(kind, fpm);
    const log = executionLog(fpm.root);
    const page = fpm.script('page.php', `${log.php} echo 'ok';`);
    await using pool = new Pool(proxy.address, TOLD);
    const client = async (_: unknown, nth: number): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        const params = { ...page, ...FORM, REQUEST_ID: `${nth}-${i}` };
        expect(await text(pool, { params, body: 'a=1' })).toBe('ok');
      }
    };
    await Promise.all(Array.from({ length: 10 }, client));
    const counts = [...log.executions().values()];
    expect(counts).toEqual(Array(100).fill(1));
  });
});

it('no worker comes free within headersTimeout: nothing was sent, and the error says so', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 1 });
  await using proxy = await startHaproxy({ mode: 'tcp', fpm });
  const log = executionLog(fpm.root);
  const page = fpm.script('page.php', `${log.php} usleep(1500000); echo 'ok';`);
  await using pool = new Pool(proxy.address, TOLD);
  const first = ended(pool, { params: { ...page, REQUEST_ID: 'first' } });
  await waitFor(() => log.executions().size === 1);
  const params = { ...page, REQUEST_ID: 'late' };
  const error = await errorOf(pool.request({ params, headersTimeout: 300 }));
  expect(error).toMatchObject({
    code: 'FCGI_ERR_HEADERS_TIMEOUT',
    executed: 'no',
    phase: 'connecting',
    bytesSent: 0,
    hint: expect.stringContaining('nothing was sent'),
  });
  await first;
  await ended(pool, { params: { ...page, REQUEST_ID: 'after' } });
  expect([...log.executions().keys()]).toEqual(['first', 'after']);
});

it('aborted while it waits for a worker: it ends at once, gives its place up, and does not run', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 1 });
  await using proxy = await startHaproxy({ mode: 'tcp', fpm });
  const log = executionLog(fpm.root);
  const page = fpm.script('page.php', `${log.php} usleep(1000000); echo 'ok';`);
  await using pool = new Pool(proxy.address, { ...TOLD, connections: 2 });
  const first = ended(pool, { params: { ...page, REQUEST_ID: 'first' } });
  await waitFor(() => log.executions().size === 1);
  const controller = new AbortController();
  let isGivenUp = false;
  async function* body(): AsyncGenerator<string> {
    try {
      yield 'a=1';
    } finally {
      isGivenUp = true;
    }
  }
  const params = { ...page, REQUEST_METHOD: 'PUT', CONTENT_LENGTH: '3', REQUEST_ID: 'aborted' };
  const aborted = errorOf(pool.request({ params, body: body(), signal: controller.signal }));
  await waitFor(() => pool.connections.length === 2 && pool.stats.queued === 0);
  controller.abort(new Error('gone'));
  expect((await aborted).message).toBe('gone');
  await waitFor(() => isGivenUp);
  await waitFor(() => pool.connections.every(({ state }) => state !== 'connecting'));
  await first;
  await ended(pool, { params: { ...page, REQUEST_ID: 'after' } });
  expect([...log.executions().keys()]).toEqual(['first', 'after']);
});

it('close() while it waits for a worker: it is answered, then all is closed; destroy() ends it at once', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 1 });
  await using proxy = await startHaproxy({ mode: 'tcp', fpm });
  const log = executionLog(fpm.root);
  const page = fpm.script('page.php', `${log.php} usleep(400000); echo 'ok';`);
  const two = async (pool: Pool, name: string): Promise<Promise<string>[]> => {
    const answers = [1, 2].map((i) => text(pool, { params: { ...page, REQUEST_ID: `${name}${i}` } }));
    for (const answer of answers) answer.catch(() => {});
    await waitFor(() => [...log.executions().keys()].some((id) => id.startsWith(name)));
    return answers;
  };
  const closed = new Pool(proxy.address, TOLD);
  const answers = await two(closed, 'closed');
  await closed.close();
  expect(await Promise.all(answers)).toEqual(['ok', 'ok']);
  expect(closed.stats.connected).toBe(0);

  const destroyed = new Pool(proxy.address, TOLD);
  const cut = await two(destroyed, 'destroyed');
  await destroyed.destroy();
  await waitFor(() => destroyed.stats.connected === 0);
  const errors = await Promise.all(cut.map(errorOf));
  expect(errors.map(({ code }) => code)).toEqual(['FCGI_ERR_DESTROYED', 'FCGI_ERR_DESTROYED']);
  expect(errors.map(({ executed }) => executed).sort()).toEqual(['no', 'unknown']);
  expect(log.executions().size).toBe(3);
});

it('the first request after a restart, and one while the proxy has no server: both are answered', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 2 });
  await using proxy = await startHaproxy({
    mode: 'tcp',
    fpm,
    backend: '  timeout connect 100ms\n  retries 0',
  });
  const log = executionLog(fpm.root);
  const page = fpm.script('page.php', `${log.php} echo 'ok';`);
  await using pool = new Pool(proxy.address, TOLD);
  const post = (id: string): Promise<string> =>
    text(pool, { params: { ...page, ...FORM, REQUEST_ID: id }, body: 'a=1' });
  expect(await post('before')).toBe('ok');
  await fpm.restart();
  expect(await post('after')).toBe('ok');
  fpm.kill('SIGQUIT');
  await gone([fpm.pid]);
  const late = post('late');
  await waitFor(() => pool.stats.closed['server-closed'] > 1);
  await fpm.restart();
  expect(await late).toBe('ok');
  expect([...log.executions().values()]).toEqual([1, 1, 1]);
});

it('sixty clients on two workers, GETs that may be kept: nobody starves behind our own connections', async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 2 });
  await using proxy = await startHaproxy({ mode: 'tcp', fpm });
  const page = fpm.script('page.php', `usleep(2000); echo 'ok';`);
  await using pool = new Pool(proxy.address, { ...TOLD, connections: 60, retry: 'idempotent' });
  const counts = Array<number>(60).fill(0);
  let over = false;
  const clients = counts.map(async (_, nth) => {
    while (!over) {
      expect(await text(pool, { params: page })).toBe('ok');
      counts[nth] = (counts[nth] ?? 0) + 1;
    }
  });
  await waitFor(() => counts.every((count) => count >= 3), { timeout: 20_000 });
  over = true;
  await Promise.all(clients);
});
