/** The logs of `serve`: a file that is opened anew, nginx's format, JSON with what PHP-FPM did, and PHP's messages. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
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

  it('that cannot be opened anew is named, with its path, and goes on where it was', async () => {
    site.put('a.txt', 'a');
    const folder = join(site.parent, 'logs');
    mkdirSync(folder);
    const log = join(folder, 'access.log');
    await using served = await serve(site.path, ['--access-log', log]);
    renameSync(folder, `${folder}.old`);
    served.io.reopen();
    await text(`${served.url}/a.txt`);
    expect(await served.stop()).toBe(0);
    expect(served.io.err).toContain(`--access-log '${log}' cannot be opened anew: ENOENT`);
    expect(lines(join(`${folder}.old`, 'access.log'))).toHaveLength(1);
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
  const nginx = await startNginx({ fpm, keepalive: 0, accessLog: theirs });
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

describe('what is refused before it is a request', () => {
  const proxied = 'PROXY TCP4 192.0.2.7 192.0.2.1 56324 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n';

  it('is in it as nginx has it, but for the size of the page', async () => {
    await using fpm = await startFpm({ files: { 'a.php': '<?php echo "page";' } });
    const theirs = join(site.parent, 'nginx.log');
    const nginx = await startNginx({ fpm, keepalive: 0, accessLog: theirs });
    await using served = await serve(fpm.root, ['--upstream', fpm.address]);
    const sent = [
      'RUB"BISH\r\n\r\n',
      'get / HTTP/1.1\r\nHost: a\r\n\r\n',
      '\x16\x03\x01\xe9\\\r\n\r\n',
      proxied,
      'POST /a.php HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ];
    for (const { port } of [new URL(nginx.url), new URL(served.url)]) {
      for (const bytes of sent) await sendAndLeave(Number(port), bytes);
    }
    await served.stop();
    const plain = (line: string): string => line.replace(/\[[^\]]*\]/, '[]').replace(/ 400 \d+ /, ' 400 N ');
    const found = await waitFor(() => lines(theirs).length === sent.length && lines(theirs));
    await nginx.stop();
    expect(served.io.out.split('\n').slice(1, -1).map(plain)).toEqual(found.map(plain));
  });

  it('is in it as JSON, with what was wrong', async () => {
    await using served = await serve(site.path, ['--log-format', 'json']);
    await sendAndLeave(Number(new URL(served.url).port), 'RUBBISH\r\n\r\n');
    await served.stop();
    expect(JSON.parse(served.io.out.split('\n')[1] ?? '')).toEqual({
      time: expect.stringMatching(/^\d{4}-/),
      remote_addr: '127.0.0.1',
      request: 'RUBBISH',
      status: 400,
      body_bytes_sent: '400 Bad Request\n'.length,
      error: expect.stringMatching(/^Parse Error/),
    });
  });

  it('by a proxy that speaks the PROXY protocol, that is said, and once', async () => {
    await using served = await serve(site.path, ['--quiet']);
    for (let i = 0; i < 3; i++) await sendAndLeave(Number(new URL(served.url).port), proxied);
    await served.stop();
    expect(served.io.err.match(/^fastcgi-pool: a proxy in front speaks the PROXY protocol/gm)).toHaveLength(
      1,
    );
  });
});

/** Resolves when the server has closed. */
async function sendAndLeave(port: number, bytes: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(bytes, 'latin1');
  socket.resume();
  await once(socket, 'close');
}

it('what PHP complains of does not fill the memory while nobody reads stderr', async () => {
  site.put('a.php', '<?php for ($i = 0; $i < 4000; $i++) error_log(str_repeat("x", 1000)); echo "page";');
  site.put('b.php', '<?php error_log("read again"); echo "page";');
  await using served = await serve(site.path, ['--connections', '1', '--quiet', '--ini', 'log_errors=1']);
  const { stderr } = served.io;
  stderr.pause();
  expect(await text(`${served.url}/a.php`)).toBe('page');
  stderr.resume();
  expect(await text(`${served.url}/b.php`)).toBe('page');
  expect(await served.stop()).toBe(0);
  expect(served.io.err).toMatch(/^- \d+ lines lost: nobody read this log$/m);
  expect(served.io.err).toContain('PHP: read again (GET /b.php)\n');
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
