/** `serve` with a php-fpm of its own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { childrenOf } from '../../fpm/support/fpm.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { serve } from '../support/serving.ts';
import { masters, SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

describe('serving', () => {
  it('a page of PHP and a file, says its URL in one line, and logs each request', async () => {
    site.put('index.php', '<?php echo "Hello ", $_SERVER["REQUEST_METHOD"], $_SERVER["PATH_INFO"] ?? "";');
    site.put('style.css', 'body {}');
    await using served = await serve(site.parent, ['site']);
    expect(served.io.out).toBe(`${served.url}\n`);
    expect(await text(served.url)).toBe('Hello GET');
    expect(await text(`${served.url}/index.php/a/b`, { method: 'POST', body: 'x' })).toBe('Hello POST/a/b');
    expect(await text(`${served.url}/style.css`)).toBe('body {}');
    await served.io.said(/"GET \/style\.css HTTP\/1\.1" 200 /);
    expect(await served.stop()).toBe(0);
    expect(served.io.out.match(/HTTP\/1\.1" 200 /g)).toHaveLength(3);
    expect(served.io.err).toBe('');
  });

  it('--quiet says the URL and nothing else', async () => {
    site.put('index.php', '<?php echo "x";');
    await using served = await serve(site.path, ['--quiet']);
    await text(served.url);
    await served.stop();
    expect(served.io.out).toBe(`${served.url}\n`);
  });

  it('--front-controller gets what is no file, with the query and the whole URI', async () => {
    site.put('app.php', '<?php echo "app ", $_SERVER["REQUEST_URI"], " ", $_GET["q"] ?? "-";');
    site.put('logo.svg', '<svg/>');
    mkdirSync(join(site.path, 'folder'));
    await using served = await serve(site.path, ['--front-controller', '/app.php']);
    expect(await text(`${served.url}/`)).toBe('app / -');
    expect(await text(`${served.url}/news/1?q=2`)).toBe('app /news/1?q=2 2');
    expect(await text(`${served.url}/logo.svg`)).toBe('<svg/>');
    expect((await fetch(`${served.url}/folder/`)).status).toBe(403);
    expect((await fetch(`${served.url}/.env`)).status).toBe(404);
  });

  it('--index is served for a folder', async () => {
    site.put('home.php', '<?php echo "home";');
    site.put('sub/index.html', 'plain');
    await using served = await serve(site.path, ['--index', 'home.php']);
    expect([await text(served.url), await text(`${served.url}/sub`)]).toEqual(['home', 'plain']);
  });

  it('a script that does not exist is 404', async () => {
    await using served = await serve(site.path, []);
    expect((await fetch(`${served.url}/missing.php`)).status).toBe(404);
  });

  it('--param is in $_SERVER, whatever the client sends', async () => {
    site.put(
      'a.php',
      '<?php echo json_encode([$_SERVER["APP_ENV"], $_SERVER["SERVER_SOFTWARE"], $_SERVER["HTTP_X"]]);',
    );
    await using served = await serve(site.path, [
      ...['--param', 'APP_ENV=h\u00e9'],
      ...['--param', 'SERVER_SOFTWARE=nginx', '--param', 'HTTP_X=ours'],
    ]);
    expect(await text(`${served.url}/a.php`, { headers: { x: 'theirs' } })).toBe(
      JSON.stringify(['h\u00e9', 'nginx', 'ours']).replace('\u00e9', '\\u00e9'),
    );
  });

  it('--trusted-proxy is believed about its clients, and nobody else is', async () => {
    site.put('index.php', '<?php echo $_SERVER["REMOTE_ADDR"], " ", $_SERVER["REQUEST_SCHEME"];');
    const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' };
    for (const [flags, seen] of [
      [['--trusted-proxy', '127.0.0.0/8'], '192.0.2.7 https'],
      [['--trusted-proxy', '10.0.0.1'], '127.0.0.1 http'],
    ] as const) {
      await using served = await serve(site.path, [...flags]);
      expect(await (await fetch(served.url, { headers })).text()).toBe(seen);
    }
  });

  it('--max-body is the largest request', async () => {
    site.put('index.php', '<?php echo strlen(file_get_contents("php://input"));');
    await using served = await serve(site.path, ['--max-body', '1k']);
    expect(await text(served.url, { method: 'POST', body: 'x'.repeat(1024) })).toBe('1024');
    expect((await fetch(served.url, { method: 'POST', body: 'x'.repeat(1025) })).status).toBe(413);
  });

  it('--ini and --connections reach PHP, which sees our environment', async () => {
    vi.stubEnv('APP_MODE', 'test');
    site.put(
      'index.php',
      '<?php echo ini_get("upload_max_filesize"), " ", getenv("APP_MODE"), " ", $_SERVER["APP_MODE"];',
    );
    await using served = await serve(site.path, ['--ini', 'upload_max_filesize=3M', '--connections', '3']);
    expect(await text(served.url)).toBe('3M test test');
    expect(await waitFor(() => masters().length === 1 && childrenOf(masters()[0] ?? 0).length === 3)).toBe(
      true,
    );
  });

  it('what PHP logs, and what it writes to stderr, is on stderr once and cannot steer the terminal', async () => {
    site.put(
      'index.php',
      '<?php error_log("log\\x1b[2J"); file_put_contents("php://stderr", "raw\\n"); echo "x";',
    );
    await using served = await serve(site.path, ['--ini', 'log_errors=1', '--ini', 'error_log=']);
    await text(served.url);
    await served.io.complained(/raw\n/);
    await served.io.complained(/log/);
    await served.stop();
    expect(served.io.err.split('\n').sort()).toEqual(['', 'PHP: log\\x1b[2J (GET /)', 'raw']);
  });

  it('what happens when PHP dies is on stderr, not in the page', async () => {
    site.put('index.php', '<?php posix_kill(getmypid(), 9);');
    await using served = await serve(site.path, []);
    const response = await fetch(served.url);
    expect(response.status).toBe(502);
    expect(await response.text()).not.toMatch(/FCGI|socket|SIGKILL/i);
    await served.io.complained(/^fastcgi-pool: GET \/: .+\n/m);
    await served.io.complained(/^php-fpm: .*exited on signal 9/m);
  });
});
