/** The script that was judged is the script that runs, whatever `cgi.fix_pathinfo` says. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { type Fpm, startFpm } from '../../fpm/support/index.ts';
import { type TempDir, tempDir } from '../../fpm/support/temp.ts';
import { type RawServer, rawServer } from '../raw.ts';

const tell =
  '<?php echo basename(__FILE__), "|", $_SERVER["SCRIPT_NAME"], "|", $_SERVER["PATH_INFO"] ?? "none";';

describe.each([0, 1])('cgi.fix_pathinfo = %i', (fixPathinfo) => {
  let fpm: Fpm;
  let pool: Pool;
  let server: RawServer;
  let outside: TempDir;

  beforeAll(async () => {
    fpm = await startFpm({
      phpIni: { 'cgi.fix_pathinfo': fixPathinfo },
      statusPath: '/status',
      files: { 'index.php': tell, 'other.php': tell, 'sub/index.php': tell, 'blog/x.php': tell },
    });
    outside = tempDir();
    writeFileSync(join(outside.path, 'evil.php'), tell);
    symlinkSync(join(outside.path, 'evil.php'), join(fpm.root, 'link.php'));
    pool = new Pool(fpm.address);
    server = await rawServer(createHandler(pool, { root: fpm.root, frontController: '/index.php' }));
  });
  afterAll(async () => {
    await server?.close();
    await pool?.destroy();
    await fpm?.stop();
    outside?.remove();
  });

  it.each([
    ['/index.php', 'index.php|/index.php|none'],
    ['/index.php/other.php', 'index.php|/index.php|/other.php'],
    ['/index.php/link.php', 'index.php|/index.php|/link.php'],
    ['/index.php/blog', 'index.php|/index.php|/blog'],
    ['/index.php/blog/x.php', 'index.php|/index.php|/blog/x.php'],
    ['/index.php/status', 'index.php|/index.php|/status'],
    ['/index.php/status?json&full', 'index.php|/index.php|/status'],
    ['/index.php/ping', 'index.php|/index.php|/ping'],
    ['/index.php/', 'index.php|/index.php|/'],
    ['/index.php/.NET', 'index.php|/index.php|/.NET'],
    ['/other.php/status', 'other.php|/other.php|/status'],
    ['/sub/index.php/ping', 'index.php|/sub/index.php|/ping'],
    ['/status', 'index.php|/index.php|none'],
    ['/ping', 'index.php|/index.php|none'],
    ['/link.php', '404 Not Found\n'],
    ['/link.php/x', '404 Not Found\n'],
  ])('%s', async (url, expected) => {
    const request = `GET ${url} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
    const { text } = await server.exchange(request);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(expected);
  });
});
