/** Each hint is provoked on the real PHP-FPM: words that send an operator to the right place. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Ended, FcgiError, Pool, type PoolOptions } from '../../src/index.ts';
import { executionLog, type FpmOptions, gone, inBacklog, startFpm, waitFor } from './support/index.ts';

/** The error of a request for a script on a php-fpm of its own. */
async function failure(
  source: string,
  fpmOptions: FpmOptions,
  options: PoolOptions = {},
): Promise<FcgiError> {
  await using fpm = await startFpm(fpmOptions);
  await using pool = new Pool(fpm.address, options);
  return caught(pool.request({ params: fpm.script('a.php', source) }));
}

async function caught(promise: Promise<unknown>): Promise<FcgiError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof FcgiError) return error;
  throw error;
}

describe.each(['unix', 'tcp'] as const)('over %s, the hint names', (transport) => {
  it('rlimit_files, and not the path of the script, where the worker has no descriptor left to open it', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1 });
    await using pool = new Pool(fpm.address, { backend: 'php-fpm', connections: 1 });
    const limits = fpm.script('limits.php', 'posix_setrlimit(POSIX_RLIMIT_NOFILE, 3, 3);');
    const page = fpm.script('page.php', 'echo 1;');
    const ended = async (params: typeof page): Promise<Ended> => {
      const response = await pool.request({ params });
      await response.body.text();
      return response.ended;
    };
    await ended(limits);
    // The worker could not even accept another connection.
    const { reused, hint } = await ended(page);
    expect(reused).toBe(true);
    expect(hint).toMatch(/^a worker of php-fpm has too many files open to read .*page\.php: `rlimit_files`/);
  });

  it('pm.max_requests, where a worker was recycled under a request', async () => {
    await using fpm = await startFpm({ transport, maxRequests: 1 });
    await using pool = new Pool(fpm.address, { backend: 'php-fpm', connections: 1, retry: 'never' });
    const params = fpm.script('a.php', 'echo 1;');
    // Both at once: the second goes out on the connection of the first, behind its answer.
    const [first, second] = await Promise.allSettled([pool.request({ params }), pool.request({ params })]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { executed: 'no', reused: true } });
    expect((second as PromiseRejectedResult).reason.hint).toContain('pm.max_requests');
  });

  it('a crash, where the script kills its worker', async () => {
    const error = await failure('posix_kill(getmypid(), 9);', { transport });
    expect(error).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(error.hint).toMatch(/worker died while running the script/);
  });

  it('pm.max_children, and where to see how many wait, where no worker is free', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1 });
    const log = executionLog(fpm.root, `'busy'`);
    await using pool = new Pool(fpm.address);
    const busy = caught(pool.request({ params: fpm.script('busy.php', `${log.php} sleep(20);`) }));
    await waitFor(() => log.executions().has('busy'));
    const late = caught(pool.request({ params: fpm.script('late.php', 'echo 1;'), headersTimeout: 1_000 }));
    const place =
      transport === 'unix' ? 'Recv-Q of its socket in `ss -xl`' : 'listen queue on the status page';
    await waitFor(async () => (await inBacklog(fpm.endpoint)) === 1, {
      what: 'one in the backlog, as ss has it',
    });
    expect(await late).toMatchObject({ code: 'FCGI_ERR_HEADERS_TIMEOUT', reused: false });
    expect((await late).hint).toContain('`pm.max_children`');
    expect((await late).hint).toContain(place);
    await pool.destroy();
    await busy;
  });

  it('that php-fpm was stopped, and no crash of the script, where the request still waited for a worker and nobody comes back', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1 });
    const log = executionLog(fpm.root);
    await using pool = new Pool(fpm.address, { connectTimeout: 500 });
    const quick = fpm.script('quick.php', `${log.php} echo 1;`);
    // So the pool knows what the server is, but not yet whether there is a proxy.
    await (await pool.request({ params: { ...quick, REQUEST_ID: 'first' } })).body.text();
    const busy = { ...fpm.script('busy.php', `${log.php} sleep(20);`), REQUEST_ID: 'busy' };
    const running = caught(pool.request({ params: busy }));
    await waitFor(() => log.executions().has('busy'));
    // By a unix socket a reset would prove that one without a body was not run, and it would be sent again.
    const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
    const params = { ...quick, ...form, REQUEST_ID: 'waiting' };
    const waiting = caught(pool.request({ params, body: 'a=1' }));
    await waitFor(async () => (await inBacklog(fpm.endpoint)) === 1, {
      what: 'one in the backlog, as ss has it',
    });
    fpm.kill('SIGTERM');
    expect((await running).hint).toMatch(/^the worker died while running the script/);
    expect(await waiting).toMatchObject({ code: 'FCGI_ERR_SOCKET_RESET', executed: 'unknown' });
    expect((await waiting).hint).toMatch(/^php-fpm was stopped or reloaded before a worker read the request/);
    expect(log.executions().has('waiting')).toBe(false);
  });

  it('request_terminate_timeout, and after how long, where a script has run into it', async () => {
    const error = await failure('sleep(5);', { transport, requestTerminateTimeout: 1 });
    expect(error).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(error.hint).toMatch(/after [1-3]\.\d s: `request_terminate_timeout`/);
  });

  it('the answer that was begun, where the worker died in the middle of it', async () => {
    await using fpm = await startFpm({ transport });
    await using pool = new Pool(fpm.address);
    const params = fpm.script('a.php', 'echo str_repeat("x", 100000); flush(); posix_kill(getmypid(), 9);');
    const response = await pool.request({ params });
    const error = await caught(response.body.text());
    expect(error).toMatchObject({ executed: 'yes', phase: 'body' });
    expect(error.hint).toMatch(/worker died while it answered/);
  });

  it('the path, where there is no script', async () => {
    await using fpm = await startFpm({ transport });
    await using pool = new Pool(fpm.address);
    const params = { ...fpm.script('a.php', ''), SCRIPT_FILENAME: `${fpm.root}/nowhere.php` };
    const response = await pool.request({ params });
    expect(response.statusCode).toBe(404);
    const { hint, stderr } = await response.ended;
    expect(stderr).toContain('Primary script unknown');
    expect(hint).toContain(`${fpm.root}/nowhere.php`);
  });
});

describe('a process that a script has started in the background holds the connection, and its worker leaves', () => {
  /** What became of the next request, where the script has said this of its own. */
  async function next(head: string): Promise<{ version: number; answer: string | FcgiError }> {
    await using fpm = await startFpm({ maxChildren: 1 });
    const options = { backend: 'php-fpm', connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 } as const;
    await using pool = new Pool(fpm.address, { ...options, headersTimeout: 300 });
    const params = fpm.script(
      'a.php',
      `${head} exec('sleep 60 > /dev/null 2>&1 & echo $!', $pid); echo json_encode([(int) $pid[0], PHP_VERSION_ID]);`,
    );
    const [sleeper, version] = JSON.parse(await (await pool.request({ params })).body.text());
    try {
      const workers = await fpm.workers();
      await fpm.reload();
      await gone(workers);
      const asked = pool.request({ params: fpm.script('b.php', 'echo "answered";') });
      const answer = await asked.then(
        ({ body }) => body.text(),
        () => caught(asked),
      );
      return { version, answer };
    } finally {
      process.kill(sleeper);
    }
  }

  it('the hint for the request that nobody reads says so; PHP 8.3 and later lets no process have it', async () => {
    const { version, answer } = await next('');
    const hint = expect.stringContaining('a process that a script had started in the background');
    const error = { code: 'FCGI_ERR_HEADERS_TIMEOUT', executed: 'unknown', reused: true, hint };
    if (version < 80_300) expect(answer).toMatchObject(error);
    else expect(answer).toBe('answered');
  });

  it('and what it advises helps', async () => {
    expect((await next('header("Connection: close");')).answer).toBe('answered');
  });
});

it('listen.allowed_clients is named, where php-fpm does not let this host in', async () => {
  const error = await failure('echo 1;', { transport: 'tcp', allowedClients: ['127.0.0.2'] }, { tries: 1 });
  expect(error.reused).toBe(false);
  expect(error.hint).toContain('listen.allowed_clients');
});

it('a port that speaks HTTP is told apart', async () => {
  const server = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using pool = new Pool(`127.0.0.1:${port}`);
  const error = await caught(pool.request({ params: { SCRIPT_FILENAME: '/a.php', REQUEST_METHOD: 'GET' } }));
  expect(error.code).toBe('FCGI_ERR_RECORD_VERSION');
  expect(error.hint).toContain('HTTP');
  server.close();
});
