/** php-fpm.conf as php-fpm reads it: comments, quotes, includes, `$pool`, and which pool listens where. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { poolAt, readFpmConf } from '../../../src/cli/doctor/fpm-conf.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { tempDir } from '../../fpm/support/temp.ts';

let folder: ReturnType<typeof tempDir>;
beforeEach(() => {
  folder = tempDir('fpm-conf-');
});
afterEach(() => folder.remove());

function put(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

describe("php-fpm's configuration", () => {
  it('has values without comments and quotes, whatever the white space', async () => {
    const file = put(
      'fpm.conf',
      [
        '\uFEFF; a comment',
        '[global]',
        '\tprocess_control_timeout=10s;why',
        '[www] ; the only one',
        'listen = "/run/a;b.sock" ; quoted',
        "pm.max_children='7'",
        'pm = static;no space before this',
        ';pm.max_requests = 5',
        'env[PATH] = $PATH',
        'php_admin_value[error_log] = /var/log/$pool.log',
        'php_flag[display_errors] = off',
        'pm.max_children = 9',
        'security.limit_extensions =',
      ].join('\r\n'),
    );
    const [pool, ...more] = await readFpmConf(file);
    expect(more).toEqual([]);
    expect(pool).toEqual({
      name: 'www',
      settings: {
        process_control_timeout: '10s',
        listen: '/run/a;b.sock',
        'pm.max_children': '9',
        pm: 'static',
        'env[PATH]': '$PATH',
        'php_admin_value[error_log]': '/var/log/www.log',
        'php_flag[display_errors]': 'off',
        'security.limit_extensions': '',
      },
    });
  });

  it('takes a relative include from a folder above, as that of Docker’s images is', async () => {
    mkdirSync(join(folder.path, 'etc/php-fpm.d'), { recursive: true });
    put('etc/php-fpm.d/www.conf', '[www]\nlisten = 9000\n');
    const file = put('etc/php-fpm.conf', '[global]\ninclude=etc/php-fpm.d/*.conf\n');
    expect(await readFpmConf(file)).toEqual([
      { name: 'www', settings: { listen: '9000', process_control_timeout: '0' } },
    ]);
  });

  it('does not take the defaults of [global] for what is in it, where only the file of one pool is read', async () => {
    const [pool] = await readFpmConf(put('www.conf', '[www]\nlisten = 9000\n'));
    expect(pool?.settings).toEqual({ listen: '9000' });
  });

  it('has the pools of all files that are included, by patterns in folders too', async () => {
    for (const name of ['a', 'b', 'a/pool.d', 'b/pool.d']) mkdirSync(join(folder.path, name));
    const file = put('fpm.conf', `include=${folder.path}/?/pool.d/*.conf\ninclude = one.conf\n`);
    put('one.conf', '[one]\nlisten = 9001\n');
    put('a/pool.d/two.conf', '[two]\nlisten = /run/php/$pool.sock\n');
    put('a/pool.d/two.conf.bak', '[old]\n');
    put('b/pool.d/three.conf', '[three]\nlisten = 9003\n');
    const pools = await readFpmConf(file);
    expect(pools.map(({ name, settings }) => [name, settings['listen']])).toEqual([
      ['two', '/run/php/two.sock'],
      ['three', '9003'],
      ['one', '9001'],
    ]);
    await expect(readFpmConf(put('bad.conf', 'include = nowhere.conf'))).rejects.toThrow('ENOENT');
    await expect(readFpmConf(put('loop.conf', 'include = loop.conf'))).rejects.toThrow('more than 200');
  });

  it.each([
    ['unix:/run/a.sock', '/run/a.sock', true],
    ['unix:/run/a.sock', '/var/run/a.sock', true],
    ['unix:/var/run/a.sock', '/run/a.sock', true],
    ['unix:/srv/fpm/a.sock', 'a.sock', true],
    ['unix:/run/a.sock', '/run/b.sock', false],
    ['unix:/run/9000', '9000', false],
    ['unix:/run/a.sock', '', false],
    ['127.0.0.1:9000', '9000', true],
    ['127.0.0.1:9000', '127.0.0.1:9000', true],
    ['localhost:9000', '127.0.0.1:9000', true],
    ['10.0.0.7:9000', '0.0.0.0:9000', true],
    ['10.0.0.7:9000', ':::9000', true],
    ['10.0.0.7:9000', '*:9000', true],
    ['[::1]:9000', '[::]:9000', true],
    ['[::1]:9000', '[::1]:9000', true],
    ['127.0.0.1:9000', '127.0.0.1:9001', false],
    ['127.0.0.1:9000', '10.0.0.7:9000', false],
    ['127.0.0.1:9000', '/run/a.sock', false],
  ])('at %s the pool with listen = %s answers: %s', (address, listen, isIt) => {
    const pool = { name: 'www', settings: { listen } };
    expect(poolAt([pool], parseAddress(address))).toBe(isIt ? pool : null);
  });
});
