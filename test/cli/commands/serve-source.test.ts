/** What `serve` never sends. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../fpm/support/wait.ts';
import { serve } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

describe('PHP source', () => {
  const secret = '<?php /* TOPSECRET */ echo "ran";';
  const names = [
    'a.php',
    'b.PHP',
    'c.Php',
    'd.phtml',
    'e.phar',
    'f.php5',
    'g.inc',
    'h.php~',
    'i.php.bak',
    'j.pHtMl',
    'sub/k.php',
    '.hidden.php',
    '.git/l.php',
    'm.php.swp',
    'n.phps',
  ];
  const variants = [
    (url: string) => url,
    (url: string) => `${url}/`,
    (url: string) => `${url}/x`,
    (url: string) => `${url}?a`,
    (url: string) => `${url}%20`,
    (url: string) => `${url}.`,
    (url: string) => `${url}%00`,
    (url: string) => `${url}%00.txt`,
    (url: string) => url.replace('.', '%2e'),
    (url: string) => url.replace(/p/gi, '%70'),
    (url: string) => url.replace(/p/g, 'P'),
    (url: string) => `/sub/..${url}`,
    (url: string) => `/%2e%2e${url}`,
    (url: string) => url.replace('/', '//'),
    (url: string) => url.replaceAll('/', '%2f').replace('%2f', '/'),
  ];

  it.each([[[]], [['--front-controller', '/front.php']]])(
    'is never shown, whatever the URL (%j)',
    async (args) => {
      site.put('front.php', '<?php echo "front";');
      for (const name of names) site.put(name, secret);
      symlinkSync('a.php', join(site.path, 'link.txt'));
      await using served = await serve(site.path, ['--quiet', ...args]);
      let answers = 0;
      for (const name of [...names, 'link.txt']) {
        for (const variant of variants) {
          const url = `${served.url}${variant(`/${name}`)}`;
          const body = await text(url, { headers: { range: 'bytes=0-999' } });
          expect(body, url).not.toContain('TOPSECRET');
          answers += 1;
        }
      }
      expect(answers).toBe(16 * 15);
      expect(await text(`${served.url}/a.php`)).toBe('ran');
    },
  );

  it('what looks like it is sent where --allow-files says so, with --cache-control, and PHP runs all the same', async () => {
    site.put('openapi.yaml', 'openapi: 3.1.0');
    site.put('install.sh', 'echo');
    site.put('deploy.sh', 'TOPSECRET');
    site.put('.env.yaml', 'TOPSECRET');
    site.put('a.php', secret);
    const args = ['--allow-files', '.yaml', '--allow-files', '/install.sh', '--allow-files', '.php'];
    await using served = await serve(site.path, [...args, '--cache-control', 'no-cache']);
    const sent = await fetch(`${served.url}/openapi.yaml`);
    expect([sent.status, sent.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect(await text(`${served.url}/install.sh`)).toBe('echo');
    expect((await fetch(`${served.url}/deploy.sh`)).status).toBe(404);
    expect((await fetch(`${served.url}/.env.yaml`)).status).toBe(404);
    expect(await text(`${served.url}/a.php`)).toBe('ran');
  });

  it('outside the root is neither run nor sent, except where a link may lead; the link is named once', async () => {
    mkdirSync(join(site.parent, 'outside'));
    writeFileSync(join(site.parent, 'outside/a.txt'), 'text');
    writeFileSync(join(site.parent, 'outside/a.php'), '<?php echo "ran";');
    symlinkSync('../outside', join(site.path, 'link'));
    {
      await using served = await serve(site.path, []);
      expect((await fetch(`${served.url}/link/a.txt`)).status).toBe(404);
      expect((await fetch(`${served.url}/link/a.php`)).status).toBe(404);
      const told =
        /^fastcgi-pool: not served: \/link links out of DOCROOT, to (.*) \(--allow-symlinks-to\)\n$/;
      expect(told.exec(served.io.err)?.[1]).toBe(join(site.parent, 'outside'));
    }
    {
      await using served = await serve(site.path, []);
      expect((await fetch(`${served.url}/link/a.php`)).status).toBe(404);
      await waitFor(() => served.io.err.includes('/link links out of DOCROOT'));
    }
    await using served = await serve(site.path, ['--allow-symlinks-to', '../outside']);
    expect(await text(`${served.url}/link/a.txt`)).toBe('text');
    expect(await text(`${served.url}/link/a.php`)).toBe('ran');
  });
});
