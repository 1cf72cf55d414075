/** Who runs PHP, where root starts `serve`. */
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { FakeIo } from '../support/io.ts';
import { serve, serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

const isRoot = process.getuid?.() === 0;
let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

describe('who runs PHP', () => {
  const whoAmI = '<?php echo posix_getpwuid(posix_geteuid())["name"];';

  it('is nobody else where we are not root', async () => {
    const io = new FakeIo(site.path);
    io.isRoot = false;
    expect(await run(['serve', '--listen', '127.0.0.1:0', '--user', 'nobody'], io)).toBe(2);
    expect(io.err).toBe(
      'fastcgi-pool: serve: --user is for root: nobody else can start PHP as another user\n',
    );
  });

  it.runIf(isRoot)('is the owner of DOCROOT', async () => {
    site.put('index.php', whoAmI);
    const nobody = Number(/^nobody:[^:]*:(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1]);
    chownSync(site.path, nobody, nobody);
    await using served = await serve(site.path, []);
    expect(await text(served.url)).toBe('nobody');
    expect(served.io.err).toBe('');
  });

  it.runIf(isRoot)(
    'is www-data where the owner is root, and root only where nobody else can read',
    async () => {
      site.put('index.php', whoAmI);
      {
        await using served = await serve(site.path, []);
        expect(await text(served.url)).toBe('www-data');
      }
      chmodSync(site.parent, 0o700);
      await using served = await serve(site.path, []);
      expect(await text(served.url)).toBe('root');
      expect(served.io.err).toBe('fastcgi-pool: PHP runs as root (see --user)\n');
    },
  );

  it.runIf(isRoot)('is --user', async () => {
    site.put('index.php', whoAmI);
    await using served = await serve(site.path, ['--user', 'nobody']);
    expect(await text(served.url)).toBe('nobody');
  });

  it.runIf(isRoot)('is no user that does not exist', async () => {
    for (const name of ['nosuchuser', '-x', 'a b']) {
      const { status, err } = await serveInVain(site.path, [`--user=${name}`]);
      expect([status, err]).toEqual([
        2,
        `fastcgi-pool: serve: --user '${name}' is no user of this machine\n`,
      ]);
    }
  });
});
