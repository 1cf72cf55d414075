/** The logs of `serve`: a file that is opened anew, nginx's format, JSON with what PHP-FPM did, and PHP's messages. */
import { readFileSync, renameSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFpm } from '../../fpm/support/fpm.ts';
import { startNginx } from '../../fpm/support/nginx.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { serve, serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

describe('--access-log', () => {
  it('is opened anew at SIGUSR1, and has all lines when serve ends', async () => {
    site.put('a.txt', 'a');
    const log = join(site.parent, 'access.log');
    await using served = await serve(site.path, ['--access-log', log]);
    await text(`${served.url}/a.txt?1`);
    await waitFor(() => lines(log).length === 1);
    renameSync(log, `${log}.1`);
    served.io.reopen();
    await text(`${served.url}/a.txt?2`);
    expect(await served.stop()).toBe(0);
    expect([lines(`${log}.1`), lines(log)]).toEqual([
      [expect.stringContaining('"GET /a.txt?1 HTTP/1.1" 200 1 ')],
      [expect.stringContaining('"GET /a.txt?2 HTTP/1.1" 200 1 ')],
    ]);
    expect(served.io.out).toBe(`${served.url}\n`);
  });

  it('that cannot be written is named, and the status is 2', async () => {
    expect(await serveInVain(site.path, ['--access-log', '/nowhere/a.log'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(
        /^fastcgi-pool: serve: --access-log '\/nowhere\/a\.log' cannot be opened: .*\n$/,
      ),
    });
  });
});

it('is line by line what nginx writes', async () => {
  await using fpm = await startFpm({
    files: { 'a.php': '<?php http_response_code(201); header("Content-Length: 5"); echo "12345";' },
  });
  const theirs = join(site.parent, 'nginx.log');
  const nginx = await startNginx({ fpm, keepalive: 0, extra: `access_log ${theirs} combined;` });
  await using served = await serve(fpm.root, ['--upstream', fpm.address]);
  const asked: [string, Record<string, string>][] = [
    ['/a.php', {}],
    ['/a.php/x?y="z"&\\', { 'user-agent': 'a "b" \t c' }],
    ['/a.php', { referer: 'http://r/?\u00e9', authorization: `Basic ${btoa('al ice:x')}` }],
    ['/a.php', { authorization: `Basic ${btoa(':x')}`, 'user-agent': '' }],
  ];
  for (const url of [nginx.url, served.url]) {
    for (const [path, headers] of asked) {
      const { hostname, port } = new URL(url);
      await new Promise((resolve) => {
        get({ hostname, port, path, headers, agent: false }, (res) => res.resume().on('end', resolve));
      });
    }
  }
  await served.stop();
  const undated = (line: string): string => line.replace(/\[[^\]]*\]/, '[]');
  const found = await waitFor(() => lines(theirs).length === asked.length && lines(theirs));
  await nginx.stop();
  expect(served.io.out.split('\n').slice(1, -1).map(undated)).toEqual(found.map(undated));
});

it('as JSON says which server answered, how often it was asked, how long it took, and what PHP wrote', async () => {
  await using fpm = await startFpm({ phpIni: { log_errors: true } });
  site.put(
    'a.php',
    '<?php error_log("one\ntwo"); echo $x; trigger_error("three", E_USER_DEPRECATED); echo "x";',
  );
  site.put('die.php', '<?php posix_kill(getmypid(), 9);');
  site.put('a.txt', 'a');
  await using served = await serve(site.path, ['--upstream', fpm.address, '--log-format', 'json']);
  for (const path of ['/a.php', '/die.php', '/a.txt']) await text(served.url + path);
  await served.stop();
  const [page, died, file] = served.io.out
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line));
  const at = { file: join(site.path, 'a.php'), trace: [] };
  expect(page).toMatchObject({
    uri: '/a.php',
    status: 200,
    upstream_addr: fpm.address,
    attempts: 1,
    reused: false,
    executed: 'yes',
    upstream_connect_time: expect.any(Number),
    upstream_header_time: expect.any(Number),
    upstream_response_time: expect.any(Number),
    php: [
      { level: 'log', message: 'one\\ntwo' },
      { level: 'warning', message: 'Undefined variable $x', ...at, line: 2 },
      { level: 'deprecated', message: 'three', ...at, line: 2 },
    ],
  });
  expect(page).not.toHaveProperty('error');
  expect(died).toMatchObject({ uri: '/die.php', status: 502, executed: 'unknown', attempts: 1 });
  expect(died.error).toMatch(/^FCGI_ERR_SOCKET_/);
  expect(Object.keys(file)).not.toContain('attempts');
});

describe("PHP's messages", () => {
  it('are told once, with file, line, trace and the request, and also those that no request gets', async () => {
    site.put('a.php', '<?php function f() { throw new LogicException("no"); }\necho $x;\nf();');
    site.put('b.php', '<?php echo "x"; fastcgi_finish_request(); error_log("behind the end");');
    await using served = await serve(site.path, ['--ini', 'log_errors=1', '--ini', 'display_errors=0']);
    const a = join(site.path, 'a.php');
    expect((await fetch(`${served.url}/a.php?b`)).status).toBe(500);
    await text(`${served.url}/b.php`);
    await served.stop();
    expect(served.io.err).toBe(
      [
        `PHP warning: Undefined variable $x at ${a}:2 (GET /a.php?b)`,
        `PHP fatal error: Uncaught LogicException: no at ${a}:1 (GET /a.php?b)`,
        `    #0 ${a}(3): f()`,
        '    #1 {main}',
        'PHP: behind the end',
        '',
      ].join('\n'),
    );
  });
});
