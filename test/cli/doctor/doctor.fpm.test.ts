/** `doctor` on real php-fpms: each broken set-up is found, and a healthy one is found to be so. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { type Fpm, type FpmOptions, freePort, startFpm, startHaproxy } from '../../fpm/support/index.ts';
import { tempDir } from '../../fpm/support/temp.ts';
import { FakeIo } from '../support/io.ts';

async function healthy(more: FpmOptions = {}): Promise<Fpm> {
  const extra = ['listen.mode = 0660', `pm.status_listen = 127.0.0.1:${await freePort()}`, more.extra ?? ''];
  return startFpm({ maxChildren: 8, processControlTimeout: 10, ...more, extra: extra.join('\n') });
}

interface Diagnosis {
  readonly status: number;
  readonly ids: string[];
  readonly io: FakeIo;
}

async function doctor(address: string, ...args: string[]): Promise<Diagnosis> {
  const io = new FakeIo('/');
  const status = await run(['doctor', address, '--json', ...args], io);
  const found = io.out === '' ? [] : JSON.parse(io.out).findings;
  return { status, ids: found.map(({ id }: { id: string }) => id), io };
}

function confOf(fpm: Fpm): string[] {
  return ['--fpm-conf', join(dirname(fpm.root), 'fpm.conf')];
}

describe('doctor', () => {
  it.each(['unix', 'tcp'] as const)(
    'finds nothing wrong with a php-fpm that is in order (%s)',
    async (transport) => {
      await using fpm = await healthy({ transport });
      const { status, ids, io } = await doctor(fpm.address, ...confOf(fpm));
      expect(io.err).toBe('');
      expect(ids).toEqual([]);
      expect(status).toBe(0);
      const text = new FakeIo('/');
      expect(await run(['doctor', fpm.address, ...confOf(fpm)], text)).toBe(0);
      expect(text.out).toBe('nothing found\n');
    },
  );

  it('finds too few children for all processes, recycling, a reload that kills, a short backlog', async () => {
    await using fpm = await startFpm({ maxChildren: 8, maxRequests: 10, listenBacklog: 4 });
    const { status, ids } = await doctor(fpm.address, ...confOf(fpm), '--processes', '4');
    expect(status).toBe(1);
    expect(ids).toEqual(
      expect.arrayContaining(['children', 'max-requests', 'control-timeout', 'backlog', 'status-listen']),
    );
  });

  it('finds that any file is run as PHP, and that every user may write to the socket', async () => {
    await using fpm = await healthy({ extra: 'security.limit_extensions =\nlisten.mode = 0666' });
    const { ids, io } = await doctor(fpm.address, ...confOf(fpm));
    expect(ids).toEqual(['socket-open', 'limit-extensions']);
    expect(io.out).toContain('avatar.jpg');
  });

  it('finds what php.ini breaks', async () => {
    await using fpm = await healthy({
      phpIni: {
        upload_max_filesize: '64M',
        post_max_size: '8M',
        sys_temp_dir: '/nonexistent',
        'opcache.enable': 0,
      },
      // as a pool's file has it, where the word stays as it is
      extra: 'php_admin_value[enable_post_data_reading] = Off',
    });
    const { ids } = await doctor(fpm.address, ...confOf(fpm));
    expect(ids).toEqual(['post-data', 'body-size', 'temp-folder', 'opcache']);
  });

  it('finds a pool by another name of its socket, which is a link on Debian, and the site of nginx that asks it', async () => {
    await using fpm = await healthy();
    const link = join(fpm.root, 'php-fpm.sock');
    symlinkSync(fpm.address.slice('unix:'.length), link);
    const conf = join(fpm.root, 'nginx.conf');
    writeFileSync(
      conf,
      `server { location ~ \\.php$ { fastcgi_pass unix:/run/other.sock; } } server { location ~ \\.php$ { fastcgi_pass ${fpm.address}; } }`,
    );
    const { ids, io } = await doctor(`unix:${link}`, ...confOf(fpm), '--nginx-conf', conf);
    expect(ids).toEqual([]);
    expect(JSON.parse(io.out).code).toContain(`new Pool('${fpm.address}')`);
  });

  it('looks at a php-fpm whose host has disabled functions and set open_basedir: only what is really lost is found', async () => {
    const dir = tempDir('doctor-');
    chmodSync(dir.path, 0o1777);
    try {
      await using fpm = await healthy({
        phpIni: { disable_functions: 'opcache_get_status,scandir,readlink,file,posix_geteuid,tmpfile' },
        extra: `php_admin_value[open_basedir] = ${dir.path}`,
      });
      const { ids, io } = await doctor(fpm.address, ...confOf(fpm), '--dir', dir.path);
      expect(ids).toEqual(['temp-folder']);
      expect(io.out).toContain('UPLOAD_ERR_NO_TMP_DIR');
    } finally {
      dir.remove();
    }
  });

  it.each<[string, FpmOptions, RegExp, RegExp]>([
    [
      'runs no .php',
      { extra: 'security.limit_extensions = .phtml' },
      /^it answered 403 Access denied\.: .*`security\.limit_extensions`/,
      /^security\.limit_extensions = \.php$/,
    ],
    [
      'has disabled what is called',
      { phpIni: { disable_functions: 'ini_get' } },
      /did not come to its end: Call to undefined function ini_get\(\)$/,
      /disable_functions/,
    ],
    [
      'may open nothing in these folders',
      { extra: 'php_admin_value[open_basedir] = /nonexistent' },
      /in \/var\/tmp: it answered 404 .* \(not below open_basedir\)/,
      /^--dir DIR/,
    ],
  ])(
    'says why nothing can be asked of a php-fpm that %s, and what to change',
    async (_, options, what, change) => {
      await using fpm = await healthy(options);
      const { status, ids, io } = await doctor(fpm.address, ...confOf(fpm));
      expect([status, ids]).toEqual([1, ['not-asked']]);
      const [found] = JSON.parse(io.out).findings;
      expect(found.what).toMatch(what);
      expect(found.change).toMatch(change);
    },
  );

  it('finds nothing in an upload_tmp_dir that is not there: PHP takes the system’s folder', async () => {
    await using fpm = await healthy({ phpIni: { upload_tmp_dir: '/nonexistent' } });
    expect((await doctor(fpm.address, ...confOf(fpm))).ids).toEqual([]);
  });

  it('finds a proxy in between, which the configuration knows nothing of', async () => {
    await using fpm = await healthy({ transport: 'tcp' });
    await using proxy = await startHaproxy({ mode: 'tcp', fpm });
    const { host, port } = proxy.endpoint;
    const { ids } = await doctor(`${host}:${port}`, ...confOf(fpm));
    expect(ids).toEqual(['no-pool', 'proxy']);
  });

  it('finds a port that is open to all, and a limit that kills idle workers', async () => {
    await using fpm = await healthy({ transport: 'tcp', host: '0.0.0.0', requestTerminateTimeout: 1 });
    const address = fpm.address.replace('0.0.0.0', '127.0.0.1');
    const { ids } = await doctor(address, ...confOf(fpm));
    expect(ids).toEqual(['terminate-timeout', 'open-to-all']);
  });

  it('finds a root that deploys change, in a configuration of nginx, and prints ours', async () => {
    await using fpm = await healthy();
    mkdirSync(join(fpm.root, 'releases/1'), { recursive: true });
    symlinkSync('releases/1', join(fpm.root, 'current'));
    const conf = join(fpm.root, 'nginx.conf');
    writeFileSync(
      conf,
      `server { root ${fpm.root}/current; location ~ \\.php$ { fastcgi_pass ${fpm.address};
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; } }`,
    );
    const { ids } = await doctor(fpm.address, ...confOf(fpm), '--nginx-conf', conf);
    expect(ids).toEqual(['linked-root']);
    const io = new FakeIo('/');
    await run(['doctor', fpm.address, '--nginx-conf', conf], io);
    expect(io.out).toContain(`const fpm = new Pool('${fpm.address}');`);
    expect(io.out).toContain('change: ');
  });

  it('finds that nobody is there', async () => {
    const { status, ids } = await doctor('unix:/nonexistent/fpm.sock');
    expect([status, ids]).toEqual([1, ['unreachable']]);
  });

  it('does not blame the address where php-fpm is there and all of its workers are busy', async () => {
    await using fpm = await healthy({ maxChildren: 1, transport: 'tcp' });
    const { hostname, port } = new URL(`http://${fpm.address}`);
    // the only worker waits for a request on it
    const held = connect(Number(port), hostname);
    await once(held, 'connect');
    const { status, io } = await doctor(fpm.address, '--timeout', '0.3');
    held.destroy();
    const [{ what, change }] = JSON.parse(io.out).findings;
    expect([status, what]).toEqual([1, `${fpm.address} did not answer within 0.3 s`]);
    expect(change).not.toContain('listen');
    expect(change).toContain('pm.max_children');
  });

  it.each([
    [[], 'ADDRESS is missing'],
    [['127.0.0.1:9', '--processes', '0'], '--processes must be'],
    [['127.0.0.1:9', '--fpm-conf', '/nonexistent/fpm.conf'], '--fpm-conf: '],
    [['127.0.0.1:9', '--fpm-conf', '/etc'], '--fpm-conf: EISDIR'],
    [['127.0.0.1:9', '--nginx-conf', '/nonexistent/nginx.conf'], '--nginx-conf: '],
  ])('%j is bad input', async (args, said) => {
    const io = new FakeIo('/');
    expect(await run(['doctor', ...args], io)).toBe(2);
    expect(io.err).toContain(said);
  });
});
