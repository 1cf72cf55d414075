/** Who runs PHP, where root starts `serve`. */
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

  it.runIf(isRoot).each([
    [0o700, '/tmp'],
    [0o755, '/tmp'],
    [0o1777, 'TMPDIR'],
  ])(
    "has a folder for uploads where he may write, where root's TMPDIR has mode %o: %s",
    async (mode, expected) => {
      const temp = join(site.parent, 'temp');
      mkdirSync(temp);
      chmodSync(temp, mode);
      site.put(
        'index.php',
        '<?php echo sys_get_temp_dir(), is_writable(sys_get_temp_dir()) ? "" : " is closed";',
      );
      vi.stubEnv('TMPDIR', temp);
      try {
        await using served = await serve(site.path, ['--user', 'nobody']);
        expect(await text(served.url)).toBe(expected === 'TMPDIR' ? temp : expected);
      } finally {
        vi.unstubAllEnvs();
      }
    },
  );

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

describe.runIf(isRoot)('what is sent, where root starts serve and could read all', () => {
  const idOf = (user: string): number =>
    Number(new RegExp(`^${user}:[^:]*:(\\d+)`, 'm').exec(readFileSync('/etc/passwd', 'utf8'))?.[1]);

  function put(name: string, mode: number, uid = 0): void {
    site.put(name, 'text');
    chownSync(join(site.path, name), uid, uid);
    chmodSync(join(site.path, name), mode);
  }

  function putAll(): void {
    put('open.txt', 0o644);
    put('own.txt', 0o600, idOf('www-data'));
    put('alone.txt', 0o600);
    put('other.txt', 0o600, idOf('nobody'));
    // who else may read it, an access list may say
    put('group.txt', 0o640);
    put('closed/a/b.txt', 0o644);
    chmodSync(join(site.path, 'closed'), 0o700);
    symlinkSync('closed/a/b.txt', join(site.path, 'link.txt'));
    symlinkSync('alone.txt', join(site.path, 'alone-link.txt'));
  }

  async function statuses(url: string): Promise<Record<string, number>> {
    const names = ['open', 'own', 'alone', 'other', 'group', 'closed/a/b', 'link', 'alone-link'];
    const found = names.map(async (name) => [name, (await fetch(`${url}/${name}.txt`)).status]);
    return Object.fromEntries(await Promise.all(found));
  }

  it.each([['1'], ['2']])(
    'is what PHP’s user may read, as with nginx: not what is for its owner alone, who is another (%s processes)',
    async (workers) => {
      putAll();
      await using served = await serve(site.path, ['--workers', workers]);
      const open = { open: 200, own: 200, group: 200 };
      const closed = { alone: 403, other: 403, 'closed/a/b': 403, link: 403, 'alone-link': 403 };
      expect(await statuses(served.url)).toEqual({ ...open, ...closed });
      expect(served.io.err).toContain('GET /alone.txt: not sent: it is for its owner alone');
      chmodSync(join(site.path, 'alone.txt'), 0o644);
      expect((await fetch(`${served.url}/alone.txt`)).status).toBe(200);
    },
  );

  it('is all, where PHP runs as root', async () => {
    putAll();
    await using served = await serve(site.path, ['--user', 'root']);
    expect(new Set(Object.values(await statuses(served.url)))).toEqual(new Set([200]));
  });

  it('is not what root alone may read, where another PHP-FPM is asked', async () => {
    putAll();
    await using served = await serve(site.path, ['--upstream', 'unix:/nonexistent/fpm.sock']);
    const open = { open: 200, own: 200, other: 200, group: 200 };
    const closed = { alone: 403, 'closed/a/b': 403, link: 403, 'alone-link': 403 };
    expect(await statuses(served.url)).toEqual({ ...open, ...closed });
  });
});
