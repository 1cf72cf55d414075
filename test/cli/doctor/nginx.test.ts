/** What a configuration of nginx is in ours: code that can be run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FromNginx, fromNginx as fromTree } from '../../../src/cli/doctor/from-nginx.ts';
import { migration } from '../../../src/cli/doctor/migration.ts';
import { parseNginx } from '../../../src/cli/doctor/nginx-conf.ts';
import { readNginxConf } from '../../../src/cli/doctor/nginx-files.ts';
import { millisecondsOf } from '../../../src/cli/doctor/nginx-values.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { Pool, Upstream } from '../../../src/index.ts';
import { tempDir } from '../../fpm/support/index.ts';

function fromNginx(text: string, address?: string): FromNginx {
  return fromTree(parseNginx(text), address === undefined ? null : parseAddress(address));
}

const site = tempDir('nginx-');
writeFileSync(join(site.path, 'index.php'), '');
afterAll(() => site.remove());

const CONF = `
# php
upstream php {
  least_conn;
  server 10.0.0.1:9000 weight=3 max_fails=2 fail_timeout=10s;
  server unix:/run/php.sock backup;   # the other one
  keepalive 16;
  keepalive_requests 500;
}
server {
  root ${site.path};
  client_max_body_size 64m;
  location / { try_files $uri $uri/ /index.php?$query_string; }
  location ~ \\.php$ {
    fastcgi_pass php;
    fastcgi_index index.php;
    fastcgi_param SCRIPT_FILENAME "$document_root$fastcgi_script_name";
    fastcgi_read_timeout 90s;
    fastcgi_connect_timeout 500ms;
    fastcgi_next_upstream error timeout non_idempotent;
    fastcgi_next_upstream_tries 3;
    fastcgi_cache zone;
    fastcgi_ignore_client_abort on;
    fastcgi_request_buffering off;
    fastcgi_max_temp_file_size 512m;
  }
}
`;

/** Runs what was printed, with the library's own names. */
function made(code: string): { fpm: Pool | Upstream; php: unknown } {
  const run = new Function('Pool', 'Upstream', 'createHandler', 'root', `${code}\nreturn { fpm, php };`);
  return run(Pool, Upstream, createHandler, site.path);
}

describe("nginx's configuration", () => {
  it('is code of ours that runs, with the same servers, times and limits', () => {
    const { code, notes, root } = fromNginx(CONF);
    expect(code).toContain("{ address: '10.0.0.1:9000', weight: 3, maxFails: 2, failTimeout: 10000 }");
    expect(code).toContain("{ address: 'unix:/run/php.sock', backup: true }");
    for (const line of [
      'keepalive: 16',
      'keepaliveRequests: 500',
      'connectTimeout: 500',
      'headersTimeout: 90000',
      'bodyTimeout: 90000',
      "retry: 'always'",
      'tries: 3',
      'maxBodySize: 67108864',
      "onClientAbort: 'finish'",
      'requestBuffering: false',
      'maxTempFileSize: 536870912',
      "frontController: '/index.php'",
    ])
      expect(code).toContain(`  ${line},\n`);
    expect(made(code).fpm.stats).toMatchObject({
      servers: [
        { weight: 3, backup: false },
        { address: 'unix:/run/php.sock', backup: true },
      ],
    });
    expect(notes.some((note) => note.startsWith('fastcgi_cache: '))).toBe(true);
    expect(root).toBe(site.path);
  });

  it('has port 80, as with nginx, for a server of an upstream without one', () => {
    const { code } = fromNginx(
      'upstream php { server 10.0.0.1; server fpm.internal weight=2; server [::1]; } location ~ php { fastcgi_pass php; }',
      '10.0.0.1:80',
    );
    for (const address of ['10.0.0.1:80', 'fpm.internal:80', '[::1]:80'])
      expect(code).toContain(`'${address}'`);
    expect(made(code).fpm).toBeInstanceOf(Upstream);
  });

  it('with one address is a Pool', () => {
    const { code } = fromNginx('location ~ php { fastcgi_pass 127.0.0.1:9000; fastcgi_keep_conn on; }');
    expect(code).toBe(
      "const fpm = new Pool('127.0.0.1:9000');\nconst php = createHandler(fpm, {\n  root: root,\n});",
    );
    expect(made(code).fpm).toBeInstanceOf(Pool);
  });

  const tried = migration.filter(({ directive }) => directive !== 'fastcgi_pass');
  it.each(tried.map((row) => [row.directive, row] as const))(
    'has each option that %s becomes',
    (directive, { to, read }) => {
      const own: Readonly<Record<string, string[]>> = {
        root: ['/srv'],
        fastcgi_param: ['SCRIPT_FILENAME $realpath_root$fastcgi_script_name'],
      };
      const usual = ['5', '30s', '/srv', '/index.php', 'index.php', 'on', 'off', 'error'];
      const values = own[directive] ?? usual;
      const blocks = values.map((value) =>
        to === 'server'
          ? `upstream u { server 127.0.0.1:9 weight=${value} max_fails=2 slow_start=1s max_conns=3 down; }`
          : `upstream u { server 127.0.0.1:9; } fastcgi_pass u; ${directive} ${value};`,
      );
      expect(values.some((value) => Object.keys(read(value.split(' '))).length > 0)).toBe(to !== 'none');
      for (const block of blocks) {
        const { code } = fromNginx(block.replace('/srv', site.path));
        expect(made(code).fpm).toBeDefined();
      }
    },
  );

  it('that cannot be read is refused', () => {
    expect(() => parseNginx('server { listen 80;')).toThrow(/lacks a }/);
    expect(() => parseNginx('server { } }')).toThrow(/too many/);
    expect(fromNginx("root '/a\\'; evil() //';").code).toContain('/a');
  });

  it.each([
    ['upstream u { server 10.0.0.1:9; keepalive 16; }', "new Pool('10.0.0.1:9', {\n  keepalive: 16,\n})"],
    ['upstream u { server fpm.example:9 resolve; } fastcgi_pass u;', 'resolve: true'],
    ['map $a $php { default unix:/a; } fastcgi_pass $php;', 'new Pool(address)'],
    ['# fastcgi_pass a:1;\nfastcgi_pass "unix:/run/a b.sock"; # b:2', "new Pool('unix:/run/a b.sock')"],
    ['location ~ ^/a\\{2\\}\\;$ { fastcgi_pass a:1; }', "new Pool('a:1')"],
    ['upstream u{server a:1 weight=2;server b:2 down;}fastcgi_pass u;', "{ address: 'b:2', down: true }"],
    ["log_format x '{ \\' } # ;'; fastcgi_pass a#b:1;", "new Pool('a#b:1')"],
  ])('%s has %s', (conf, code) => {
    expect(fromNginx(conf).code).toContain(code);
  });

  it('is read with what it includes, by patterns, from the folder of the first file; what is missing is named', async () => {
    const put = (name: string, text: string): void => writeFileSync(join(site.path, name), text);
    for (const name of ['conf.d', 'sites', 'snippets']) mkdirSync(join(site.path, name));
    put('nginx.conf', 'http { include conf.d/*.conf; include sites/[!.]*; include mime.types; }');
    put('conf.d/up.conf', 'upstream php { server 10.0.0.1:9000; server 10.0.0.2:9000 backup; }');
    put('conf.d/up.conf.bak', 'broken {');
    put('sites/default', 'server { location / { include snippets/php.conf; fastcgi_pass php; } }');
    put('snippets/php.conf', 'fastcgi_read_timeout 5s;');
    const { tree, missing } = await readNginxConf(join(site.path, 'nginx.conf'));
    const { code } = fromTree(tree);
    for (const part of ['10.0.0.1:9000', "'10.0.0.2:9000', backup: true", 'headersTimeout: 5000'])
      expect(code).toContain(part);
    expect(missing).toEqual([join(site.path, 'mime.types')]);
    put('loop.conf', 'include loop.conf;');
    await expect(readNginxConf(join(site.path, 'loop.conf'))).rejects.toThrow('more than 200 files');
    put('bad.conf', 'include sites/bad;');
    put('sites/bad', 'server {');
    await expect(readNginxConf(join(site.path, 'bad.conf'))).rejects.toThrow(/sites\/bad: .* lacks a }/);
  });

  it('of one site is read with what it includes from the folder of nginx.conf, as nginx does', async () => {
    const put = (name: string, text: string): void => writeFileSync(join(site.path, name), text);
    for (const name of ['etc', 'etc/sites-enabled', 'etc/snippets']) mkdirSync(join(site.path, name));
    put('etc/nginx.conf', 'http { include sites-enabled/*; }');
    put(
      'etc/sites-enabled/blog',
      'server { location ~ php { include snippets/php.conf; fastcgi_pass a:1; } }',
    );
    put('etc/snippets/php.conf', 'fastcgi_read_timeout 7s;');
    const { tree, missing } = await readNginxConf(join(site.path, 'etc/sites-enabled/blog'));
    expect(missing).toEqual([]);
    expect(fromTree(tree).code).toContain('headersTimeout: 7000');
  });

  it('names what has no place in ours: a guard that is missing must not be missed', () => {
    const { notes } = fromNginx(`http {
      gzip on;
      server {
        listen 80; server_name a.example; access_log off;
        add_header X-Frame-Options DENY;
        location /admin { auth_basic "admins"; auth_basic_user_file /etc/htpasswd; }
        location ~ /\\.ht { deny all; }
        location ~ \\.php$ { fastcgi_pass a:1; fastcgi_hide_header X-Powered-By; if ($a) { return 403; } }
      }
      server { listen 81; rewrite ^ /x; }
    }`);
    expect(notes).toEqual([
      'fastcgi_hide_header: `expose_php = Off` in php.ini for X-Powered-By; others are taken away by a middleware in front, as with `on-headers`',
      'not taken over: add_header, auth_basic, auth_basic_user_file, deny, return, gzip',
    ]);
  });

  it('names each setting of PHP that nginx gives with its requests, as open_basedir may be among them', () => {
    const { notes } = fromNginx(`server {
      location ~ \\.php$ {
        fastcgi_pass a:1;
        fastcgi_param PHP_ADMIN_VALUE "open_basedir=$document_root/:/tmp/";
        fastcgi_param PHP_VALUE "upload_max_filesize=64M";
        fastcgi_param APP_ENV prod;
      }
    }`);
    const told = notes.filter((note) => note.includes('allowControlParams'));
    expect(told.map((note) => note.split(': ')[0])).toEqual([
      'fastcgi_param PHP_ADMIN_VALUE "open_basedir=$document_root/:/tmp/"',
      'fastcgi_param PHP_VALUE "upload_max_filesize=64M"',
    ]);
    expect(told[0]).toContain('php_admin_value');
  });

  it('what stands in a table is no directive, as in Nextcloud’s server with its types', () => {
    const { notes } = fromNginx(`server {
      include mime.types;
      types { text/javascript mjs; "text/x y" z; }
      geo $near { default 0; 10.0.0.0/8 1; }
      location ~ \\.php$ { fastcgi_pass a:1; gzip on; }
    }`);
    expect(notes).toEqual(['not taken over: gzip']);
  });

  it('a variable that is set once is what it says, as in Magento’s', () => {
    const root = '$MAGE_ROOT/pub';
    const server = `set $MAGE_ROOT /var/www/magento2; root ${root}; location ~ \\.php$ { fastcgi_pass a:1; }`;
    expect(fromNginx(`server { ${server} }`).code).toContain("root: '/var/www/magento2/pub'");
    expect(fromNginx(server.replace(root, '"$' + '{MAGE_ROOT}/pub"')).code).toContain(
      "root: '/var/www/magento2/pub'",
    );
    const unsure = [
      'if ($a) { set $MAGE_ROOT /other; }',
      'set $MAGE_ROOT /other;',
      'map $a $MAGE_ROOT { default /other; }',
    ];
    for (const more of unsure) {
      expect(fromNginx(`server { ${server} ${more} }`).code).toContain('root: root');
    }
    // of another name, of another site, and made of what the request says
    expect(fromNginx(`server { ${server.replace(root, '$MAGE_ROOTS/pub')} }`).code).toContain('root: root');
    expect(fromNginx(`server { ${server.replace('/var/www', '/srv/$host')} }`).code).toContain('root: root');
    const other = 'server { set $MAGE_ROOT /other; }';
    expect(fromNginx(`${other} server { ${server} }`).code).toContain("root: '/var/www/magento2/pub'");
  });

  it('has times as nginx writes them', () => {
    expect(['1m30s', '1h 30m', '1d', '2w', '1M', '1y', '1m30', '1x', ''].map(millisecondsOf)).toEqual([
      ...[90_000, 5_400_000, 86_400_000, 1_209_600_000, 2_592_000_000, 31_536_000_000, 90_000],
      ...[null, null],
    ]);
    expect(['60', '60s', '1m', '500ms', '2h', 'x'].map(millisecondsOf)).toEqual([
      60_000,
      60_000,
      60_000,
      500,
      7_200_000,
      null,
    ]);
  });
});

/** As they lie in sites-enabled: what is said in one place has no effect in another. */
const SITES = `
http {
  keepalive_timeout 65;
  keepalive_requests 10000;
  resolver 127.0.0.1;
  client_max_body_size 8m;
  upstream node { ip_hash; server 127.0.0.1:3000; keepalive 64; }
  upstream old { server unix:/run/php7.sock; keepalive 4; }
  server { listen 80 default_server; root /var/www/html; }
  server {
    server_name blog.example;
    root /srv/blog;
    client_max_body_size 64m;
    location = /status { fastcgi_pass 127.0.0.1:9001; fastcgi_read_timeout 1; }
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      try_files $uri =404;
      fastcgi_read_timeout 300;
      fastcgi_pass unix:/run/php8.sock;
    }
    location /app/ { proxy_pass http://node; }
    location /upload { client_max_body_size 1g; }
    location /wiki { try_files $uri /wiki/index.php; }
    location ^~ /.well-known/acme-challenge/ { root /var/www/letsencrypt; }
    location = /50x.html { root /usr/share/nginx/html; }
  }
  server {
    server_name old.example;
    root /srv/old;
    location ~ \\.php$ { fastcgi_pass old; fastcgi_read_timeout 10; }
  }
}
`;

describe("of several sites in nginx's configuration", () => {
  it('the first one is told, with what holds where it asks PHP, and nothing of any other', () => {
    const { code, notes } = fromNginx(SITES);
    expect(code).toBe(
      [
        "const fpm = new Pool('unix:/run/php8.sock', {",
        '  headersTimeout: 300000,',
        '  bodyTimeout: 300000,',
        '});',
        'const php = createHandler(fpm, {',
        '  maxBodySize: 67108864,',
        "  root: '/srv/blog',",
        "  frontController: '/index.php',",
        '});',
      ].join('\n'),
    );
    expect(notes).toEqual([
      'fastcgi_pass 127.0.0.1:9001 (blog.example, location = /status): another PHP, which the code above does not ask',
      'fastcgi_pass old (old.example, location ~ \\.php$): another PHP, which the code above does not ask',
      'not taken over: proxy_pass',
    ]);
  });

  it('those that ask the same PHP are named, if they have another root', () => {
    const php = 'location ~ php { fastcgi_pass a:1; }';
    const { code, notes } = fromNginx(`
      server { server_name one.example; root /srv/one; ${php} }
      server { listen 443; server_name one.example; root /srv/one; ${php} }
      server { server_name two.example; root /srv/two; ${php} location = /x { fastcgi_pass a:1; } }
      server { root /srv/three; ${php} }
    `);
    expect(code).toContain("root: '/srv/one'");
    expect(notes).toEqual([
      'root /srv/two (two.example): another site of the same PHP, which wants a createHandler of its own',
      'root /srv/three: another site of the same PHP, which wants a createHandler of its own',
    ]);
  });

  it.each([
    [
      'unix:/run/php7.sock',
      [
        "new Pool('unix:/run/php7.sock', {\n  keepalive: 4,",
        'headersTimeout: 10000',
        "root: '/srv/old'",
        'maxBodySize: 8388608',
      ],
    ],
    ['tcp://127.0.0.1:9001', ["new Pool('127.0.0.1:9001', {\n  headersTimeout: 1000,", "root: '/srv/blog'"]],
    ['10.0.0.9:9000', ["new Pool('unix:/run/php8.sock'"]],
  ])('the one that asks %s is told, where that is the address', (address, parts) => {
    const { code } = fromNginx(SITES, address);
    for (const part of parts) expect(code).toContain(part);
  });

  it.each([
    ['try_files $uri /index.php$is_args$args', '/index.php', ''],
    ['try_files $uri $uri/ /index.php$request_uri', '/index.php', ''],
    ['try_files $uri $uri/ /index.php?', '/index.php', ''],
    ['try_files $uri /app.php?q=$uri&$args', '/app.php', '/app.php?q=$uri&$args: PHP gets the path'],
    ['try_files $uri /app.php/$uri', '/app.php', '/app.php/$uri: PHP gets the path'],
    ['try_files $uri $uri.php /index.php', '/index.php', 'try_files $uri $uri.php /index.php: '],
    ['try_files $uri @front', '/front.php', ''],
    ['try_files $uri @moved', '/index.php', '/index.php?q=$1: PHP gets the path'],
    ['try_files $uri @node', null, 'try_files $uri @node: '],
    ['try_files $uri $uri/ =404', null, ''],
  ])('%s has the front controller %s', (tries, script, told) => {
    const { code, notes } = fromNginx(`server {
      location / { ${tries}; }
      location @front { fastcgi_pass a:1; fastcgi_param SCRIPT_FILENAME $document_root/front.php; }
      location @moved { rewrite ^/(.*)$ /index.php?q=$1 last; }
      location @node { proxy_pass http://127.0.0.1:3000; }
      location ~ \\.php$ { fastcgi_pass a:1; try_files $uri =404; }
    }`);
    expect(/frontController: '(.*)'/.exec(code)?.[1] ?? null).toBe(script);
    const others = notes.filter((note) => !/^(?:fastcgi_param|not taken over)/.test(note));
    expect(others).toEqual(told === '' ? [] : [expect.stringContaining(told)]);
  });

  it.each([
    ['$realpath_root$fastcgi_script_name', true],
    [`$\{realpath_root}$fastcgi_script_name`, true],
    ['$realpath_root/index.php', true],
    ['$document_root$fastcgi_script_name', false],
    ['/srv/app$fastcgi_script_name', false],
  ])('SCRIPT_FILENAME %s: a root that is a link to a release is resolved: %s', (script, resolves) => {
    const { code } = fromNginx(
      `root ${site.path}; location ~ php { fastcgi_pass a:1; fastcgi_param SCRIPT_FILENAME ${script}; }`,
    );
    expect(code.includes('  resolveRootSymlink: true,\n')).toBe(resolves);
    made(code);
  });

  it('an upstream that is in another file is for whoever takes the code over to say', () => {
    const { code, notes } = fromNginx('server { location ~ php { fastcgi_pass php-handler; } }');
    expect(code).toContain('new Pool(address)');
    expect(notes).toEqual([
      expect.stringContaining('fastcgi_pass php-handler: its upstream is in another file'),
    ]);
  });

  it('names are looked up again where nginx does so for PHP', () => {
    const docker = 'resolver 127.0.0.11; set $fpm php:9000; location ~ php { fastcgi_pass $fpm; }';
    expect(fromNginx(docker).code).toContain('resolve: true');
    const stapling = 'resolver 127.0.0.11; ssl_stapling on; location ~ php { fastcgi_pass php:9000; }';
    expect(fromNginx(stapling).code).not.toContain('resolve');
  });
});
