/** `serve`: what is passed on to php-fpm and to the pool, and what is said at the start. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFpm } from '../../fpm/support/fpm.ts';
import { within } from '../../fpm/support/wait.ts';
import { serve, serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => {
  vi.unstubAllEnvs();
  site.remove();
});

it('--ini values reach PHP as they are given', async () => {
  const values = {
    'session.save_path': 'tcp://h?weight=1&timeout=2.5',
    upload_tmp_dir: 'x=5;/tmp',
    sendmail_path: '/bin/true -f "a b" | cat; !x',
    user_agent: 'it\'s "me"',
    memory_limit: '77M',
    display_errors: 'Off',
    error_reporting: 'E_ALL & ~E_NOTICE',
  };
  site.put(
    'index.php',
    `<?php echo json_encode(array_map('ini_get', ${JSON.stringify(Object.keys(values))}));`,
  );
  const args = Object.entries(values).flatMap(([name, value]) => ['--ini', `${name}=${value}`]);
  await using served = await serve(site.path, args);
  const seen: string[] = JSON.parse(await text(served.url));
  const evaluated = { display_errors: '', error_reporting: String(32_767 & ~8) };
  expect(seen).toEqual(Object.values({ ...values, ...evaluated }));
});

it.each([
  [['--ini', 'enable_post_data_reading=0'], ''],
  [['--ini', 'post_max_size=10'], ''],
  [['--post-data-reading', '0'], 'enable_post_data_reading=0'],
  [['--post-data-reading', '10'], 'post_max_size=10'],
])('a POST whose script dies runs once, with %j and php.ini "%s"', async (args, phpIni) => {
  const folder = join(site.parent, 'conf.d');
  mkdirSync(folder);
  writeFileSync(join(folder, 'own.ini'), `${phpIni}\n`);
  // behind the usual ones
  vi.stubEnv('PHP_INI_SCAN_DIR', `:${folder}`);
  const log = join(site.parent, 'ran');
  writeFileSync(log, '');
  // whoever runs PHP is to write it
  chmodSync(log, 0o666);
  site.put(
    'die.php',
    `<?php file_put_contents(${JSON.stringify(log)}, "x", FILE_APPEND); posix_kill(getmypid(), 9);`,
  );
  await using served = await serve(site.path, args);
  for (let count = 0; count < 3; count++) {
    expect((await fetch(`${served.url}/die.php`, { method: 'POST', body: 'a=1'.repeat(500) })).status).toBe(
      502,
    );
  }
  expect(readFileSync(log, 'utf8')).toBe('xxx');
});

it('--resolve-root-symlink: PHP runs the release to which the link of DOCROOT has been turned, and its own folder is in DOCUMENT_ROOT', async () => {
  const current = join(site.parent, 'current');
  const release = (name: string): string => {
    const folder = join(site.parent, name);
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'index.php'),
      `<?php echo "${name} of ", basename($_SERVER['DOCUMENT_ROOT']);`,
    );
    return folder;
  };
  const turnTo = (folder: string): void => {
    symlinkSync(folder, `${current}.new`);
    renameSync(`${current}.new`, current);
  };
  turnTo(release('one'));
  await using served = await serve(current, ['--resolve-root-symlink']);
  expect(await text(served.url)).toBe('one of one');
  turnTo(release('two'));
  await expect.poll(() => text(served.url), { timeout: 10_000 }).toBe('two of two');
});

it('--headers-timeout is how long a script may take', async () => {
  site.put('index.php', '<?php sleep(3); echo "done";');
  await using served = await serve(site.path, ['--headers-timeout', '0.3']);
  expect((await fetch(served.url)).status).toBe(504);
});

it('--on-client-abort finish: a site that calls itself and does not wait has the script run, with one connection too', async () => {
  const log = join(site.parent, 'ran');
  writeFileSync(log, '');
  // whoever runs PHP is to write it
  chmodSync(log, 0o666);
  site.put('task.php', `<?php ignore_user_abort(true); file_put_contents(${JSON.stringify(log)}, 'ran');`);
  // as WordPress does it: the page holds the only worker for as long as it waits, and then hangs up
  site.put(
    'index.php',
    `<?php $c = stream_socket_client('tcp://' . $_SERVER['HTTP_HOST']);
      fwrite($c, "POST /task.php HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 0\\r\\n\\r\\n");
      stream_set_timeout($c, 0, 200000); fread($c, 1); fclose($c); usleep(100000); echo 'page';`,
  );
  await using served = await serve(site.path, ['--connections', '1', '--on-client-abort', 'finish']);
  expect(await text(served.url)).toBe('page');
  await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 10_000 }).toBe('ran');
});

describe('a page of 40 MB for a client that does not read, with one worker', () => {
  /** Resolves with the client, which has read nothing but the head. */
  const unread = async (url: string): Promise<Response> => {
    site.put('long.php', '<?php for ($i = 0; $i < 40; $i++) echo str_repeat("x", 1000000);');
    site.put('index.php', '<?php echo "here";');
    return fetch(`${url}/long.php`);
  };

  it.each([
    [['--response-buffering', '50m']],
    [['--max-temp-file-size', '1g']],
    [['--max-temp-file-size', '1g', '--workers', '2']],
  ])('%j: others are answered, and the page is whole', async (args) => {
    await using served = await serve(site.path, ['--connections', '1', ...args]);
    const long = await unread(served.url);
    expect(await text(served.url)).toBe('here');
    expect((await long.arrayBuffer()).byteLength).toBe(40_000_000);
  });

  it.each([[[]], [['--response-buffering', 'off']]])(
    '%j: others wait until it is read',
    async (args: readonly string[]) => {
      await using served = await serve(site.path, ['--connections', '1', ...args]);
      const long = await unread(served.url);
      const other = text(served.url);
      await expect
        .poll(async () => JSON.parse(await text(`${served.url}/-/fastcgi-pool?json`)))
        .toMatchObject({ queued: 1 });
      expect((await long.arrayBuffer()).byteLength).toBe(40_000_000);
      expect(await other).toBe('here');
    },
  );
});

describe('--keepalive-timeout', () => {
  it.each([[['--quiet']], [['--workers', '2']]])(
    '%j: is how long clients are told that they may wait',
    async (more) => {
      site.put('a.txt', 'a');
      await using served = await serve(site.path, ['--keepalive-timeout', '620', ...more]);
      const { headers } = await fetch(`${served.url}/a.txt`);
      expect(headers.get('keep-alive')).toBe('timeout=620');
    },
  );

  it('is how long a connection is kept on which nobody asks for anything', async () => {
    site.put('a.txt', 'a');
    await using served = await serve(site.path, ['--keepalive-timeout', '0.2']);
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    socket.write('GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await within(textOf(socket), 5000, 'the end of the connection')).toMatch(/\r\n\r\na$/);
  });
});

it('PATH_INFO is the affair of the script, whatever it is and whatever the method', async () => {
  site.put('remote.php', '<?php echo $_SERVER["REQUEST_METHOD"], $_SERVER["PATH_INFO"];');
  await using served = await serve(site.path, []);
  expect(await text(`${served.url}/remote.php/.NET`)).toBe('GET/.NET');
  const moved = request(`${served.url}/remote.php/dav/uploads/u/1/.file`, { method: 'MOVE' }).end();
  const [response] = await once(moved, 'response');
  expect(await textOf(response)).toBe('MOVE/dav/uploads/u/1/.file');
});

it('an extension that cannot be loaded is named at the start', async () => {
  site.put('index.php', '<?php echo "x";');
  await using served = await serve(site.path, ['--ini', 'extension=no_such_extension']);
  await served.io.complained(/Unable to load dynamic library 'no_such_extension'/);
  expect(await text(served.url)).toBe('x');
});

describe('an --upstream that cannot be reached', () => {
  it('is named at the start, and served all the same', async () => {
    await using served = await serve(site.path, ['--upstream', 'unix:/nope/fpm.sock']);
    await served.io.complained(
      /^fastcgi-pool: --upstream unix:\/nope\/fpm\.sock cannot be reached now: .*ENOENT.* \(there is no such socket: .*\)\n/,
    );
  });

  it('fails --check; all else that is well passes it', async () => {
    site.put('index.php', '<?php');
    const inVain = await serveInVain(site.path, ['--check', '--upstream', 'unix:/nope/fpm.sock']);
    expect(inVain).toMatchObject({ status: 1, err: expect.stringContaining('cannot be reached now') });
    await using fpm = await startFpm();
    expect(await serveInVain(site.path, ['--check', '--upstream', fpm.address])).toEqual({
      status: 0,
      err: '',
    });
    expect(await serveInVain(site.path, ['--check'])).toEqual({ status: 0, err: '' });
    expect((await serveInVain(site.path, ['--check', '--front-controller', '/no.php'])).status).toBe(2);
    expect(site.filesLeft.filter((name) => name.startsWith('fastcgi-pool'))).toEqual([]);
  });
});

it('serves at a unix socket and at a port', async () => {
  site.put('index.php', '<?php echo $_SERVER["REMOTE_ADDR"] ?? "nobody";');
  const socketPath = join(site.parent, 'http.sock');
  await using served = await serve(site.path, ['--listen', `unix:${socketPath}`]);
  expect(served.io.out).toContain(`unix:${socketPath}\n`);
  expect(await text(served.url)).toBe('127.0.0.1');
  const asked = request({ socketPath, headers: { host: 'h' } }).end();
  const [response] = await once(asked, 'response');
  expect(await textOf(response)).toBe('nobody');
});
