/** tcp, and the network becomes slow, or is gone, as the worker dies: a silence proves nothing. */
import { expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { ended } from '../pool/support.ts';
import { type ExecutionLog, executionLog, type Fpm, startFpm, waitFor } from './support/index.ts';
import { type Lag, startLag } from './support/lag.ts';

const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };

interface Scene extends AsyncDisposable {
  /** Null on a machine that lets nobody make a network device: then the loopback has to do. */
  readonly lag: Lag | null;
  readonly fpm: Fpm;
  readonly log: ExecutionLog;
  readonly address: string;
  readonly page: Record<string, string>;
  /** Waits in its script until it is killed. */
  readonly wait: Record<string, string>;
}

async function scene(): Promise<Scene> {
  const lag = await startLag();
  const fpm = await startFpm({ transport: 'tcp', maxChildren: 2, ...(lag ? { host: lag.near } : {}) });
  const log = executionLog(fpm.root);
  const port = 'port' in fpm.endpoint ? fpm.endpoint.port : 0;
  return {
    lag,
    fpm,
    log,
    address: `${lag?.far ?? '127.0.0.1'}:${port}`,
    page: fpm.script('page.php', `echo 1;`),
    wait: fpm.script('wait.php', `${log.php} sleep(20);`),
    [Symbol.asyncDispose]: async () => {
      await fpm.stop();
      await lag?.[Symbol.asyncDispose]();
    },
  };
}

async function runsOn(log: ExecutionLog, id: string): Promise<number> {
  await waitFor(() => log.executions().has(id));
  return log.entries().find((entry) => entry.id === id)?.worker ?? 0;
}

it.each([15, 50, 150])(
  'a delay of %i ms begins behind the handshake, and the worker is killed in its script: it ran once',
  async (delay) => {
    await using at = await scene();
    await using pool = new Pool(at.address);
    for (const [id, before] of [
      ['kept', 1],
      ['fresh', 0],
    ] as const) {
      await using other = new Pool(at.address, { headersTimeout: 10_000 });
      const one = before === 1 ? pool : other;
      if (before === 1) await ended(one, { params: at.page });
      const answer = one.request({ params: { ...at.wait, ...form, REQUEST_ID: id }, body: 'a=1' });
      answer.catch(() => {});
      const worker = await runsOn(at.log, id);
      if (at.lag !== null) at.lag.delay = delay;
      process.kill(worker, 'SIGKILL');
      await expect(answer).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
      if (at.lag !== null) at.lag.delay = 0;
    }
    expect(at.log.executions()).toEqual(
      new Map([
        ['kept', 1],
        ['fresh', 1],
      ]),
    );
  },
  30_000,
);

it('of two hosts the first dies, and its network with it, while it runs a POST: the second does not run it again', async () => {
  await using at = await scene();
  await using second = await startFpm();
  // It would run the same file, which counts in the same log.
  await using upstream = new Upstream([{ address: at.address, weight: 100 }, second.address], {
    balance: 'round-robin',
    headersTimeout: 20_000,
  });
  await ended(upstream, { params: at.page });
  const answer = upstream.request({ params: { ...at.wait, ...form, REQUEST_ID: '1' }, body: 'a=1' });
  answer.catch(() => {});
  const worker = await runsOn(at.log, '1');
  // What its kernel says of its end still arrives; what we say then does not.
  if (at.lag !== null && 'port' in at.fpm.endpoint) at.lag.lostTo = at.fpm.endpoint.port;
  process.kill(worker, 'SIGKILL');
  at.fpm.kill('SIGKILL');
  await expect(answer).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
  expect(at.log.executions()).toEqual(new Map([['1', 1]]));
}, 30_000);

it.each([
  ['kept', { keepaliveTime: 10_000, keepaliveTimeout: 10_000 }],
  ['fresh', { backend: 'php-fpm' }],
] as const)(
  'the acknowledgement is lost, and a firewall that was started anew resets what is sent once more: it ran once (%s)',
  async (which, options) => {
    await using at = await scene();
    await using pool = new Pool(at.address, { ...options, headersTimeout: 10_000 });
    if (which === 'kept') for (let i = 0; i < 6; i++) await ended(pool, { params: at.page });
    const { lag } = at;
    if (lag !== null && 'port' in at.fpm.endpoint) lag.lostFrom = at.fpm.endpoint.port;
    const answer = pool.request({ params: { ...at.wait, ...form, REQUEST_ID: '1' }, body: 'a=1' });
    answer.catch(() => {});
    const worker = await runsOn(at.log, '1');
    lag?.forget();
    if (lag !== null) lag.lostFrom = 0;
    else process.kill(worker, 'SIGKILL');
    await expect(answer).rejects.toMatchObject({
      ...{ executed: 'unknown', attempts: 1 },
      ...{ code: lag ? 'FCGI_ERR_SOCKET_RESET' : 'FCGI_ERR_SOCKET_CLOSED', reused: which === 'kept' },
    });
    expect(at.log.executions()).toEqual(new Map([['1', 1]]));
  },
  30_000,
);
