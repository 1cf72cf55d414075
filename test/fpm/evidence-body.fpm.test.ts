/** Bodies that PHP does not read before the script, and logs that it writes behind a response. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PoolOptions } from '../../src/pool/options.ts';
import { Pool } from '../../src/pool/pool.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { ended, Recorder, text } from '../pool/support.ts';
import { fullDisk } from './support/full-disk.ts';
import { type ExecutionLog, executionLog, type Fpm, startFpm, waitFor } from './support/index.ts';

/** One that answers, one that notes that it runs and kills its worker, and both once they are released. */
function scriptsOf(fpm: Fpm): Record<'page' | 'die' | 'slow' | 'slowlyDie', ReturnType<Fpm['script']>> & {
  readonly log: ExecutionLog;
  release(): void;
} {
  const log = executionLog(fpm.root);
  const gate = join(fpm.root, 'gate');
  const wait = `while (!file_exists('${gate}')) { usleep(1000); clearstatcache(); }`;
  return {
    log,
    release: () => writeFileSync(gate, ''),
    slow: fpm.script('slow.php', `${log.php} ${wait} echo 1;`),
    slowlyDie: fpm.script('slowly-die.php', `${log.php} ${wait} posix_kill(getmypid(), 9);`),
    page: fpm.script('page.php', 'echo 1;'),
    die: fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`),
  };
}

const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };

describe.each(['unix', 'tcp'] as const)(
  'a POST whose worker dies with some of it unread runs once (%s)',
  (transport) => {
    it.each<[string, number, Record<string, string>, PoolOptions]>([
      [
        'enable_post_data_reading is off for this request',
        9_000,
        { PHP_VALUE: 'enable_post_data_reading=0' },
        {},
      ],
      ['the same as php_admin_value', 9_000, { PHP_ADMIN_VALUE: 'enable_post_data_reading=0' }, {}],
      ['post_max_size is small', 9_000, { PHP_ADMIN_VALUE: 'post_max_size=10' }, {}],
    ])('%s', async (_, length, more, options) => {
      await using fpm = await startFpm({ transport });
      const { log, page, die } = scriptsOf(fpm);
      await using pool = new Pool(fpm.address, options);
      await ended(pool, { params: page });
      const params = { ...die, ...form, ...more, REQUEST_ID: '1' };
      await expect(pool.request({ params, body: Buffer.alloc(length, 'a') })).rejects.toMatchObject({
        executed: 'unknown',
        attempts: 1,
      });
      expect(log.executions()).toEqual(new Map([['1', 1]]));
    });
  },
);

describe.each(['unix', 'tcp'] as const)(
  'a request had its script start before its body was read, which its worker keeps for all that follow (%s)',
  (transport) => {
    it.each<[string, string, PoolOptions]>([
      ['PHP_VALUE', 'enable_post_data_reading=0', {}],
      ['PHP_ADMIN_VALUE', 'memory_limit=64M\npost_max_size = 10', {}],
      ['PHP_VALUE', 'enable_post_data_reading=0', { backend: 'php-fpm', postDataReading: 16_384 }],
    ])('a POST whose worker dies runs once: %s %j', async (name, setting, options) => {
      await using fpm = await startFpm({ transport, maxChildren: 1 });
      const { log, page, die } = scriptsOf(fpm);
      await using pool = new Pool(fpm.address, options);
      await ended(pool, { params: { ...page, [name]: setting } });
      const post = pool.request({
        params: { ...die, ...form, REQUEST_ID: '1' },
        body: Buffer.alloc(9_000, 'a'),
      });
      await expect(post).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
      expect(log.executions()).toEqual(new Map([['1', 1]]));
    });

    it.each<[string, string[], PoolOptions]>([
      ['it was sent before that one', ['post', 'change'], {}],
      ['it was sent before that one', ['post', 'change'], { backend: 'php-fpm', postDataReading: 16_384 }],
      ['it was sent behind that one', ['change', 'post'], {}],
    ])(
      'a POST that waited for the worker then, and whose script dies, runs once: %s %j %j',
      async (_, order, options) => {
        await using fpm = await startFpm({ transport, maxChildren: 1 });
        const { log, page, die, slow, release } = scriptsOf(fpm);
        // The one waits on a connection of its own, the other gets the one of the slow script.
        await using pool = new Pool(fpm.address, { connections: 2, ...options });
        await ended(pool, { params: page });
        const first = ended(pool, { params: { ...slow, REQUEST_ID: 'slow' } });
        await waitFor(() => log.executions().has('slow'), { what: 'the slow script' });
        const params = { ...die, ...form, REQUEST_ID: '1' };
        const send: Record<string, () => Promise<unknown>> = {
          post: () =>
            pool.request({ params, body: Buffer.alloc(9_000, 'a') }).catch((error: unknown) => error),
          change: () => ended(pool, { params: { ...page, PHP_VALUE: 'enable_post_data_reading=0' } }),
        };
        const both = order.map(async (name) => [name, await send[name]?.()] as const);
        await waitFor(() => pool.stats.connected === 2, { what: 'a connection of its own' });
        release();
        const { post } = Object.fromEntries(await Promise.all(both));
        await first;
        expect(post).toMatchObject({ executed: 'unknown', attempts: 1 });
        expect(log.executions().get('1')).toBe(1);
      },
    );
  },
);

describe.each(['unix', 'tcp'] as const)(
  'php.ini has scripts start before their body is read, and the pool is not told (%s)',
  (transport) => {
    it.each<[string, Record<string, number>]>([
      ['enable_post_data_reading is off', { enable_post_data_reading: 0 }],
      ['post_max_size is small', { post_max_size: 10 }],
    ])('a POST whose worker dies runs twice at the most, and the next one once: %s', async (_, phpIni) => {
      await using fpm = await startFpm({ transport, phpIni });
      const { log, page, die } = scriptsOf(fpm);
      await using pool = new Pool(fpm.address);
      const post = (params: Record<string, string>): Promise<string> =>
        text(pool, { params: { ...params, ...form }, body: Buffer.alloc(9_000, 'a') });
      for (const id of ['1', '2', '3']) {
        expect(await post(page)).toBe('1');
        await expect(post({ ...die, REQUEST_ID: id })).rejects.toMatchObject({
          executed: 'unknown',
          ...(id === '1' ? { hint: expect.stringContaining('postDataReading') } : { attempts: 1 }),
        });
      }
      expect(log.executions().get('1')).toBeLessThanOrEqual(2);
      expect([log.executions().get('2'), log.executions().get('3')]).toEqual([1, 1]);
    });

    it('one that runs meanwhile runs once', async () => {
      await using fpm = await startFpm({ transport, phpIni: { enable_post_data_reading: 0 } });
      const { log, page, die, slowlyDie, release } = scriptsOf(fpm);
      await using pool = new Pool(fpm.address);
      await ended(pool, { params: page });
      const post = (params: Record<string, string>): Promise<unknown> =>
        pool.request({ params: { ...params, ...form }, body: 'a=1' }).catch((error: unknown) => error);
      const running = post({ ...slowlyDie, REQUEST_ID: '1' });
      await waitFor(() => log.executions().has('1'), { what: 'the script' });
      await post({ ...die, REQUEST_ID: '2' });
      release();
      expect(await running).toMatchObject({ executed: 'unknown', attempts: 1 });
      expect(log.executions().get('1')).toBe(1);
    });

    it.each<[string, PoolOptions]>([
      ["retry: 'never'", { retry: 'never' }],
      ['tries: 1', { tries: 1 }],
    ])('one that is not sent again is not said to have not run: %s', async (_, options) => {
      await using fpm = await startFpm({ transport, phpIni: { enable_post_data_reading: 0 } });
      const { log, page, die } = scriptsOf(fpm);
      await using pool = new Pool(fpm.address, options);
      await ended(pool, { params: page });
      // On a connection of its own: on a kept one, `tries` does not count.
      const other = fpm.script('other.php', 'header("Connection: close"); echo 1;');
      await ended(pool, { params: other });
      const params = { ...die, ...form, REQUEST_ID: '1' };
      await expect(pool.request({ params, body: 'a=1' })).rejects.toMatchObject({
        executed: 'unknown',
        attempts: 1,
        hint: expect.stringContaining('postDataReading'),
      });
      expect(log.executions()).toEqual(new Map([['1', 1]]));
    });

    it('nor one that finds no server when it is sent again', async () => {
      await using fpm = await startFpm({
        transport,
        maxChildren: 1,
        phpIni: { enable_post_data_reading: 0 },
      });
      const log = executionLog(fpm.root);
      const page = fpm.script('page.php', 'echo 1;');
      // It takes the master with it.
      const end = fpm.script(
        'end.php',
        `${log.php} posix_kill(posix_getppid(), 9); ${transport === 'unix' ? 'unlink($_SERVER["SOCKET"]);' : ''} posix_kill(getmypid(), 9);`,
      );
      const { address } = fpm;
      await using pool = new Pool(address, { backend: 'php-fpm', connectTimeout: 500 });
      await ended(pool, { params: page });
      const params = { ...end, ...form, REQUEST_ID: '1', SOCKET: address.replace(/^unix:/, '') };
      await expect(pool.request({ params, body: 'a=1' })).rejects.toMatchObject({
        executed: 'unknown',
        attempts: 2,
        hint: expect.stringContaining('An attempt before this one may have run'),
      });
      expect(log.executions()).toEqual(new Map([['1', 1]]));
    });

    it('in an Upstream one of them runs twice at the most, not one for each server', async () => {
      const phpIni = { enable_post_data_reading: 0 };
      await using a = await startFpm({ transport, phpIni });
      await using b = await startFpm({ transport, phpIni });
      await using c = await startFpm({ transport, phpIni });
      // All are on this machine, and run the scripts of the first.
      const { log, page, die } = scriptsOf(a);
      await using upstream = new Upstream([a.address, b.address, c.address]);
      const post = (params: Record<string, string>): Promise<string> =>
        text(upstream, { params: { ...params, ...form }, body: 'a=1' });
      for (let id = 0; id < 8; id++) {
        for (let nth = 0; nth < 6; nth++) expect(await post(page)).toBe('1');
        await expect(post({ ...die, REQUEST_ID: String(id) })).rejects.toMatchObject({ executed: 'unknown' });
      }
      const counts = [...log.executions().values()];
      expect(counts).toHaveLength(8);
      expect(Math.max(...counts)).toBeLessThanOrEqual(2);
      expect(counts.filter((count) => count > 1).length).toBeLessThanOrEqual(1);
    });

    it('none runs twice where it is told', async () => {
      await using fpm = await startFpm({ transport, phpIni: { enable_post_data_reading: 0 } });
      const log = executionLog(fpm.root);
      const die = fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`);
      await using pool = new Pool(fpm.address, { postDataReading: 0 });
      await expect(
        pool.request({ params: { ...die, ...form, REQUEST_ID: '1' }, body: 'a=1' }),
      ).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
      expect(log.executions()).toEqual(new Map([['1', 1]]));
    });
  },
);

describe.each([17_000, 60_000, 200_000])('a POST of %i bytes, and the disk of PHP is full', (length) => {
  it.each(['unix', 'tcp'] as const)(
    'its script is started with some of it unread; where its worker dies, it ran once (%s)',
    async (transport) => {
      using disk = fullDisk();
      const phpIni = { upload_tmp_dir: disk.path, sys_temp_dir: disk.path };
      await using fpm = await startFpm({ transport, phpIni });
      const log = executionLog(fpm.root);
      const page = fpm.script('page.php', `echo strlen(file_get_contents('php://input'));`);
      const die = fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`);
      const body = Buffer.alloc(length, 'a');
      await using pool = new Pool(fpm.address);
      const lengths = await text(pool, { params: { ...page, ...form }, body });
      expect(Number(lengths)).toBeLessThan(length);
      for (const id of ['1', '2']) {
        await expect(
          pool.request({ params: { ...die, ...form, REQUEST_ID: id }, body }),
        ).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
      }
      expect([...log.executions().values()]).toEqual([1, 1]);
    },
  );
});

describe.each([0, 1])(
  'a log that a script writes behind its response (pm.max_requests = %i)',
  (maxRequests) => {
    it('is told to the one who asked for that script, and never to the next', async () => {
      await using fpm = await startFpm({ maxChildren: 2, maxRequests });
      const log = executionLog(fpm.root);
      const lines = `for ($i = 0; $i < 40; $i++) error_log(str_repeat('x', 900));`;
      const tail = fpm.script('tail.php', `echo 1; fastcgi_finish_request(); ${lines}`);
      const next = fpm.script('next.php', `${log.php} echo 2;`);
      await using pool = new Pool(fpm.address, { backend: 'php-fpm', connections: 1 });
      let late = 0;
      let foreign = 0;
      const first = new Recorder();
      const second = new Recorder();
      const { onResponseEnd } = first;
      first.onResponseEnd = (controller, how) => {
        pool.dispatch(
          { params: { ...next, REQUEST_ID: '2' }, onStderr: (chunk) => (foreign += chunk.length) },
          second,
        );
        onResponseEnd.call(first, controller, how);
      };
      pool.dispatch({ params: tail, onStderr: (chunk) => (late += chunk.length) }, first);
      await first.over;
      expect(await second.over).toBeNull();
      expect(Buffer.concat(second.chunks).toString()).toBe('2');
      expect(foreign).toBe(0);
      expect(late).toBeGreaterThan(8_000);
      expect(log.executions()).toEqual(new Map([['2', 1]]));
    });
  },
);
