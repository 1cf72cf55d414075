/** Bad input, and surroundings in which nothing can be served. */

import { symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { serveInVain } from '../support/serving.ts';
import { masters, SiteFolder } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => {
  vi.unstubAllEnvs();
  site.remove();
});

describe('what cannot be served', () => {
  it.each([
    [['missing'], /^fastcgi-pool: serve: DOCROOT 'missing' does not exist\n$/],
    [[''], /^fastcgi-pool: serve: DOCROOT is empty\n$/],
    [['site', '--allow-symlinks-to', ''], /^fastcgi-pool: serve: --allow-symlinks-to is empty\n$/],
    [['site/file'], /^fastcgi-pool: serve: DOCROOT 'site\/file' is not a folder\n$/],
    [
      ['site', '--front-controller', '/no.php'],
      /^fastcgi-pool: serve: --front-controller '\/no\.php' is no file/,
    ],
    [
      ['site', '--front-controller', '/link.php'],
      /^fastcgi-pool: serve: --front-controller '\/link\.php' leads out of DOCROOT, to \/.*\/app\.php \(--allow-symlinks-to\)\n$/,
    ],
    [['site', '--fpm', 'site/file'], /^fastcgi-pool: serve: --fpm 'site\/file' is not a php-fpm/],
    [
      ['--config', 'site/mark.json'],
      /^fastcgi-pool: serve: DOCROOT '\/.*nope' does not exist \(--config 'site\/mark\.json'\)\n$/,
    ],
    [
      ['site', '--listen', '127.0.0.1:9', '--listen', 'http://127.0.0.1:9'],
      /^fastcgi-pool: serve: --listen 127\.0\.0\.1:9 is there twice\n$/,
    ],
    [['site', '--bogus'], /^fastcgi-pool: serve: unknown option '--bogus'/],
  ])('%j: one line, status 2, no file left', async (args, why) => {
    site.put('file', 'x');
    writeFileSync(join(site.parent, 'app.php'), '');
    symlinkSync('../app.php', join(site.path, 'link.php'));
    // with the byte order mark that some editors write
    site.put('mark.json', '\uFEFF{"docroot":"nope"}');
    const { status, err } = await serveInVain(site.parent, args);
    expect(err).toMatch(why);
    expect(err.split('\n')).toHaveLength(2);
    expect(status).toBe(2);
    expect(site.filesLeft).toEqual([]);
  });

  it('a port in use: one line, status 1, no file left', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { status, err } = await serveInVain(site.path, ['--listen', `127.0.0.1:${port}`]);
    expect([status, err]).toEqual([
      1,
      `fastcgi-pool: serve: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    ]);
    expect(site.filesLeft).toEqual([]);
    expect(masters()).toEqual([]);
    other.close();
  });

  // an address of no machine: RFC 5737
  it('--check: a place where it could not listen is no, as it is of `nginx -t`; a port in use is none', async () => {
    const args = ['--check', '--listen', '192.0.2.1:80'];
    expect(await serveInVain(site.path, args)).toEqual({
      status: 1,
      err: 'fastcgi-pool: serve: cannot listen on 192.0.2.1:80: the host is no address of this machine\n',
    });
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const taken = await serveInVain(site.path, ['--check', '--listen', `127.0.0.1:${port}`]);
    expect(taken).toEqual({ status: 0, err: '' });
    other.close();
  });

  it('a folder for temporary files in which nothing can be made: TMPDIR is named, status 1', async () => {
    vi.stubEnv('TMPDIR', join(site.parent, 'nowhere'));
    const { status, err } = await serveInVain(site.path, []);
    expect(status).toBe(1);
    expect(err).toMatch(
      /^fastcgi-pool: serve: no folder for a socket can be made in \/.*\/nowhere: ENOENT \(TMPDIR may name another one\)\n$/,
    );
  });

  it('a php-fpm that does not start: its own words, status 1, no file left', async () => {
    const { status, err } = await serveInVain(site.path, [
      '--ini',
      'opcache.preload=/nowhere.php',
      '--ini',
      'opcache.enable=1',
    ]);
    expect(status).toBe(1);
    expect(err).toMatch(/^fastcgi-pool: serve: php-fpm \(.*\) did not start: .+\n$/);
    expect(site.filesLeft).toEqual([]);
  });
});
