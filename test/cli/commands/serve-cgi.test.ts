/** `serve` with php-cgi, where there is no php-fpm. */
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { need } from '../../fpm/support/child.ts';
import { childrenOf, firstPid, gone } from '../../fpm/support/fpm.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { serve } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
let php: string[];
beforeEach(() => {
  site = new SiteFolder();
  php = ['--fpm', need('php-cgi')];
});
afterEach(() => site.remove());

/** The php-cgi that is our child. */
function parents(): number[] {
  return childrenOf(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('php-cgi'),
  );
}

it('serves pages and bodies with a child for each connection, and leaves nothing behind', async () => {
  vi.stubEnv('APP_MODE', 'test');
  site.put(
    'index.php',
    '<?php error_log("said"); echo PHP_SAPI, " ", getenv("APP_MODE"), " ", ini_get("memory_limit"), " ", strlen(file_get_contents("php://input")), " ", $_SERVER["PATH_INFO"] ?? "-";',
  );
  await using served = await serve(site.path, [
    ...php,
    ...['--connections', '3', '--ini', 'memory_limit=77M', '--ini', 'log_errors=1'],
  ]);
  const body = 'x'.repeat(10_000);
  expect(await text(`${served.url}/index.php/a`, { method: 'POST', body })).toBe(
    'cgi-fcgi test 77M 10000 /a',
  );
  await served.io.complained(/^PHP: said \(POST \/index\.php\/a\)$/m);
  const pids = [...parents(), ...parents().flatMap(childrenOf)];
  expect(pids).toHaveLength(4);
  expect(await served.stop()).toBe(0);
  await gone(pids);
  expect(site.filesLeft).toEqual([]);
});

it('no request is lost, and none runs twice, while its children are recycled', async () => {
  vi.stubEnv('PHP_FCGI_MAX_REQUESTS', '7');
  const ran = join(site.parent, 'ran');
  writeFileSync(ran, '');
  // whoever runs PHP is to write there
  chmodSync(ran, 0o666);
  site.put(
    'index.php',
    '<?php file_put_contents("../ran", $_POST["n"] . "\\n", FILE_APPEND | LOCK_EX); echo getmypid(), " ", $_POST["n"];',
  );
  await using served = await serve(site.path, [...php, '--connections', '4', '--quiet']);
  const seen = new Set<string>();
  const send = async (lane: number): Promise<void> => {
    for (let nth = 0; nth < 40; nth += 1) {
      const n = `${lane}.${nth}`;
      const body = new URLSearchParams({ n });
      const [pid = '', back] = (await text(served.url, { method: 'POST', body })).split(' ');
      expect(back).toBe(n);
      seen.add(pid);
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, lane) => send(lane)));
  const each = Array.from({ length: 240 }, (_, nth) => `${nth % 6}.${Math.floor(nth / 6)}`);
  expect(readFileSync(ran, 'utf8').trim().split('\n').sort()).toEqual(each.sort());
  // 240 requests by 7 at most for each child
  expect(seen.size).toBeGreaterThan(30);
  expect(served.io.err.replace(/^fastcgi-pool: PHP runs as root.*\n/, '')).toBe('');
});

it('after SIGTERM the script that runs is finished', async () => {
  site.put(
    'slow.php',
    '<?php while (ob_get_level()) ob_end_flush(); echo "begun "; flush(); sleep(1); echo "ended";',
  );
  await using served = await serve(site.path, php);
  const [response] = await once(get(`${served.url}/slow.php`), 'response');
  const status = served.stop();
  expect(await textOf(response)).toBe('begun ended');
  expect(await status).toBe(0);
});

it('killed by SIGKILL it is started again, and serves', async () => {
  site.put('index.php', '<?php echo getmypid();');
  await using served = await serve(site.path, php);
  await text(served.url);
  process.kill(firstPid(parents()), 'SIGKILL');
  await served.io.complained(/^php-cgi ended: it was ended by SIGKILL; starting it again$/m);
  await waitFor(async () => /^\d+$/.test(await text(served.url)), { what: 'a page', timeout: 20_000 });
});
