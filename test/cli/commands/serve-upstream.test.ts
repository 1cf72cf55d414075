/** `serve` with a PHP-FPM that runs already, or should. */
import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFpm } from '../../fpm/support/fpm.ts';
import { serve, serveInVain } from '../support/serving.ts';
import { masters, SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

describe('--upstream', () => {
  it('starts no php-fpm and makes no file', async () => {
    await using fpm = await startFpm();
    site.put('index.php', '<?php echo getmypid();');
    await using served = await serve(site.path, ['--upstream', fpm.address]);
    const before = masters().length;
    expect(await fpm.workers()).toContain(Number(await text(served.url)));
    expect(masters().length).toBe(before);
    expect(await served.stop()).toBe(0);
    expect(site.filesLeft.filter((name) => name.startsWith('fastcgi-pool'))).toEqual([]);
  });

  it('twice shares the load', async () => {
    await using one = await startFpm({ maxChildren: 1 });
    await using two = await startFpm({ maxChildren: 1, transport: 'tcp' });
    site.put('index.php', '<?php echo getmypid();');
    await using served = await serve(site.path, [
      '--upstream',
      one.address,
      '--upstream',
      `tcp://${two.address}`,
    ]);
    const seen = new Set<string>();
    for (let count = 0; count < 8; count += 1) seen.add(await text(served.url));
    expect([...seen].map(Number).sort()).toEqual([...(await one.workers()), ...(await two.workers())].sort());
  });

  it('keeps its connections, and lets go of them at the end', async () => {
    await using fpm = await startFpm({ maxChildren: 1 });
    site.put('index.php', '<?php echo "x";');
    {
      await using served = await serve(site.path, ['--upstream', fpm.address, '--connections', '1']);
      for (let count = 0; count < 5; count += 1) expect(await text(served.url)).toBe('x');
    }
    // the only worker is free for another one
    await using again = await serve(site.path, ['--upstream', fpm.address]);
    expect(await text(again.url)).toBe('x');
  });

  it('--fpm-root is DOCROOT as PHP-FPM sees it', async () => {
    await using fpm = await startFpm();
    site.put('index.php', '<?php echo "local";');
    const there = join(site.parent, 'there');
    mkdirSync(there);
    site.put('../there/index.php', '<?php echo $_SERVER["SCRIPT_FILENAME"], " ", $_SERVER["DOCUMENT_ROOT"];');
    await using served = await serve(site.path, ['--upstream', fpm.address, '--fpm-root', there]);
    expect(await text(served.url)).toBe(`${there}/index.php ${there}`);
  });

  it('what PHP writes to its STDERR is on ours, a line for each message, with the request', async () => {
    await using fpm = await startFpm({ phpIni: { log_errors: true } });
    site.put('index.php', '<?php error_log("one\\x1b"); error_log("two"); echo "x";');
    await using served = await serve(site.path, ['--upstream', fpm.address]);
    await text(served.url);
    await served.io.complained(/two/);
    await served.stop();
    expect(served.io.err).toBe('PHP: one\\x1b (GET /)\nPHP: two (GET /)\n');
  });

  it('where nobody listens: files are served, and PHP as soon as it comes', {
    timeout: 20_000,
  }, async () => {
    await using fpm = await startFpm();
    const socket = fpm.address.slice('unix:'.length);
    renameSync(socket, `${socket}.away`);
    site.put('index.php', '<?php echo "here";');
    site.put('a.txt', 'text');
    await using served = await serve(site.path, ['--upstream', fpm.address]);
    expect(await text(`${served.url}/a.txt`)).toBe('text');
    const response = await fetch(served.url);
    expect(response.status).toBeGreaterThanOrEqual(502);
    expect(response.status).toBeLessThanOrEqual(504);
    expect(await response.text()).not.toContain(socket);
    await served.io.complained(/^fastcgi-pool: GET \/: .*fpm\.sock.*\n/m);
    renameSync(`${socket}.away`, socket);
    chmodSync(socket, 0o666);
    expect(await text(served.url)).toBe('here');
  });

  it.each([
    [['--upstream', 'nowhere'], /--upstream: not a FastCGI address: nowhere/],
    [['--upstream', '127.0.0.1:9000', '--ini', 'a=b'], /--ini is for a php-fpm of our own/],
  ])('%j is bad input', async (args, why) => {
    const { status, err } = await serveInVain(site.path, args);
    expect(status).toBe(2);
    expect(err).toMatch(why);
    expect(err.split('\n')).toHaveLength(2);
  });
});
