import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/cli/args.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const serveDefaults = {
  name: 'serve',
  listen: null,
  listenMode: null,
  tls: null,
  workers: 1,
  dev: false,
  keepaliveTimeout: 75_000,
  drainTimeout: 30_000,
  quiet: false,
  accessLog: null,
  logFormat: 'combined',
  check: false,
  config: null,
  // of the site
  hosts: [],
  docroot: '.',
  upstream: [],
  index: 'index.php',
  frontController: null,
  connections: 8,
  backend: null,
  proxied: false,
  postDataReading: null,
  timeouts: {},
  fpmRoot: null,
  resolveRootSymlink: false,
  allowSymlinksTo: [],
  allowFiles: [],
  cacheControl: null,
  params: [],
  allowControlParams: false,
  trustedProxies: [],
  maxBody: null,
  responseBuffering: null,
  maxTempFileSize: null,
  onClientAbort: 'close',
  compress: false,
  status: '/-/fastcgi-pool',
  fpmStatus: null,
  fpm: null,
  php: null,
  user: null,
  ini: [],
};

const requestDefaults = {
  name: 'request',
  address: '127.0.0.1:9000',
  script: '/srv/a.php',
  query: '',
  method: 'GET',
  headers: [],
  params: [],
  data: null,
  include: false,
  fail: false,
  timeout: 0,
  peer: {},
};

/** What is typed after the command, and what it changes of the defaults. */
type Case = readonly [typed: string[], changes: Readonly<Record<string, unknown>>];

describe('serve', () => {
  const cases: readonly Case[] = [
    [[], {}],
    [['public'], { docroot: 'public' }],
    [['--listen', '0.0.0.0:80'], { listen: [{ host: '0.0.0.0', port: 80, tls: false }] }],
    [['--listen', 'localhost:0'], { listen: [{ host: 'localhost', port: 0, tls: false }] }],
    [['--listen=[fe80::1%eth0]:8080'], { listen: [{ host: 'fe80::1%eth0', port: 8080, tls: false }] }],
    [['--listen=[::1]:8080'], { listen: [{ host: '::1', port: 8080, tls: false }] }],
    [
      ['--listen', 'unix:/run/a.sock', '--listen', '127.0.0.1:80'],
      { listen: [{ path: '/run/a.sock' }, { host: '127.0.0.1', port: 80, tls: false }] },
    ],
    [
      ['--tls-cert', 'c.pem', '--tls-key', 'k.pem', '--listen', 'h:443', '--listen', 'http://h:80/'],
      {
        tls: { cert: 'c.pem', key: 'k.pem' },
        listen: [
          { host: 'h', port: 443, tls: true },
          { host: 'h', port: 80, tls: false },
        ],
      },
    ],
    [
      ['--tls', '--listen', 'https://[::1]:0'],
      { tls: 'localhost', listen: [{ host: '::1', port: 0, tls: true }] },
    ],
    [
      ['--listen', 'unix:/run/a.sock', '--listen-mode', '0660'],
      { listen: [{ path: '/run/a.sock' }], listenMode: 0o660 },
    ],
    [['--dev'], { dev: true }],
    [['--workers', '4'], { workers: 4 }],
    [['--access-log', 'a.log'], { accessLog: 'a.log' }],
    [['--access-log', './off'], { accessLog: './off' }],
    [['--compress'], { compress: true }],
    [['--allow-files', '.yaml', '--allow-files', '/install.sh'], { allowFiles: ['.yaml', '/install.sh'] }],
    [['--cache-control', 'no-cache'], { cacheControl: 'no-cache' }],
    [['--config', 'site.json'], { config: 'site.json' }],
    [
      ['--upstream', 'h:1 weight=2 max_fails=3 fail_timeout=10s', '--upstream', ' unix:/b  backup down '],
      {
        upstream: [
          { address: 'h:1', weight: 2, maxFails: 3, failTimeout: 10_000 },
          { address: 'unix:/b', backup: true, down: true },
        ],
      },
    ],
    [
      ['--upstream', 'h:1 max_conns=4 slow_start=1m', '--upstream', 'h:2 fail_timeout=500ms max_fails=0'],
      {
        upstream: [
          { address: 'h:1', maxConns: 4, slowStart: 60_000 },
          { address: 'h:2', failTimeout: 500, maxFails: 0 },
        ],
      },
    ],
    [['--backend', 'generic', '--proxied'], { backend: 'generic', proxied: true }],
    [
      ['--headers-timeout', '90', '--body-timeout', '0', '--queue-timeout', '2', '--connect-timeout', '0.5'],
      { timeouts: { headersTimeout: 90_000, bodyTimeout: 0, queueTimeout: 2000, connectTimeout: 500 } },
    ],
    // 0 would be no limit at all
    [
      ['--headers-timeout', '0.0001', '--body-timeout', '0.0'],
      { timeouts: { headersTimeout: 1, bodyTimeout: 0 } },
    ],
    [['--log-format', 'json'], { logFormat: 'json' }],
    [['--status', '/pool'], { status: '/pool' }],
    [['--status', 'off'], { status: null }],
    [['--upstream', 'h:1', '--fpm-status', '/s'], { upstream: [{ address: 'h:1' }], fpmStatus: '/s' }],
    [['--check'], { check: true }],
    [
      ['--param', 'PHP_VALUE=a=b', '--allow-control-params'],
      { params: [['PHP_VALUE', 'a=b']], allowControlParams: true },
    ],
    [['--upstream', 'unix:/run/a.sock'], { upstream: [{ address: 'unix:/run/a.sock' }] }],
    [
      ['--upstream', 'tcp://fpm:9000', '--upstream', '[::1]:9000'],
      { upstream: [{ address: 'tcp://fpm:9000' }, { address: '[::1]:9000' }] },
    ],
    [['--index', 'home.html'], { index: 'home.html' }],
    [['--front-controller', '/app.php'], { frontController: '/app.php' }],
    [['--connections', '32'], { connections: 32 }],
    [['--fpm-root', '/var/www'], { fpmRoot: '/var/www' }],
    [['--resolve-root-symlink'], { resolveRootSymlink: true }],
    [['--allow-symlinks-to', '/a', '--allow-symlinks-to', 'b'], { allowSymlinksTo: ['/a', 'b'] }],
    [
      ['--param', 'APP_ENV=dev', '--param', 'QUERY=a=b'],
      {
        params: [
          ['APP_ENV', 'dev'],
          ['QUERY', 'a=b'],
        ],
      },
    ],
    [['--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '::1'], { trustedProxies: ['10.0.0.0/8', '::1'] }],
    [['--post-data-reading', '0'], { postDataReading: 0 }],
    [['--post-data-reading', '8k'], { postDataReading: 8_192 }],
    [['--max-body', '1000'], { maxBody: 1000 }],
    [['--max-body', '64k'], { maxBody: 65_536 }],
    [['--max-body', '2M'], { maxBody: 2_097_152 }],
    [['--max-body', '2g'], { maxBody: 2_147_483_648 }],
    [['--max-body', '0'], { maxBody: 0 }],
    [['--response-buffering', '4m'], { responseBuffering: 4_194_304 }],
    [['--response-buffering', 'off'], { responseBuffering: 0 }],
    [['--max-temp-file-size', '1g'], { maxTempFileSize: 1_073_741_824 }],
    [
      ['--response-buffering', 'off', '--max-temp-file-size', '0'],
      { responseBuffering: 0, maxTempFileSize: 0 },
    ],
    [['--on-client-abort', 'finish'], { onClientAbort: 'finish' }],
    [['--drain-timeout', '1.5'], { drainTimeout: 1500 }],
    [['--drain-timeout', '0'], { drainTimeout: 0 }],
    [['--keepalive-timeout', '620'], { keepaliveTimeout: 620_000 }],
    [['--quiet'], { quiet: true }],
    [['--fpm', './php-fpm'], { fpm: './php-fpm' }],
    [['--php', '8.3'], { php: '8.3' }],
    [['--user', 'alice'], { user: 'alice' }],
    [
      ['--ini', 'memory_limit=1G', '--ini', 'date.timezone='],
      {
        ini: [
          ['memory_limit', '1G'],
          ['date.timezone', ''],
        ],
      },
    ],
  ];

  it.each(cases)('reads %j', (typed, changes) => {
    const command = parseCommand(['serve', ...typed]);
    if (command.name !== 'serve') throw new Error('another command');
    const { sites, args, ...server } = command;
    expect([{ ...server, ...sites[0] }, sites.length, args]).toEqual([
      { ...serveDefaults, ...changes },
      1,
      typed,
    ]);
  });

  it.each<[string[], RegExp]>([
    [['a', 'b'], /too many: 'b'/],
    [['--prot', '80'], /unknown option '--prot'/],
    [['-q'], /unknown option '-q'/],
    [['--listen'], /--listen/],
    [['--quiet=yes'], /--quiet/],
    [['--listen', '8080'], /--listen must be HOST:PORT/],
    [['--listen', '127.0.0.1:'], /--listen must be HOST:PORT/],
    [['--listen', '127.0.0.1:65536'], /--listen must be HOST:PORT/],
    [['--listen', '::1:80'], /--listen must be HOST:PORT/],
    [['--listen', 'unix:a'], /--listen must be HOST:PORT/],
    [['--listen', `unix:/${'a'.repeat(103)}`], /--listen: the path of the socket is too long/],
    [['--listen', 'https://h:443'], /--listen https:\/\/h:443 needs --tls-cert or --tls/],
    [['--listen', 'ftp://h:1'], /--listen must be HOST:PORT/],
    [['--listen-mode', '0660'], /--listen-mode is for unix sockets/],
    [['--listen', 'unix:/a', '--listen-mode', '888'], /--listen-mode must be octal digits/],
    [['--tls-cert', 'c'], /--tls-cert needs --tls-key/],
    [['--tls-key', 'c'], /--tls-key needs --tls-cert/],
    [['--tls', '--tls-cert', 'c', '--tls-key', 'k'], /--tls makes a certificate/],
    [['--allow-files', ''], /--allow-files must be the ending of a name/],
    [['--allow-files', 'yaml'], /--allow-files must be the ending of a name, such as .yaml, not 'yaml'/],
    [['--allow-files', '.'], /--allow-files must be/],
    [['--allow-files', '*.yaml'], /--allow-files must be the ending of a name, such as .yaml, not '\*.yaml'/],
    [['--cache-control', ''], /--cache-control must be such as/],
    [['--cache-control', 'caché'], /--cache-control must be such as/],
    [['--workers', '0'], /--workers must be a whole number from 1/],
    [['--quiet', '--access-log', 'a'], /--quiet means no access log/],
    [['--access-log', 'off'], /--access-log must be a file, not 'off': --quiet keeps no log .*\.\/off/],
    [['--access-log=-'], /--access-log must be a file, not '-': without it the log goes to stdout .*\.\/-/],
    [['--access-log', ''], /--access-log must be a file, not ''/],
    [
      ['--upstream', 'h:1 weigth=2'],
      /--upstream has no parameter 'weigth=2': there are weight=, .*backup, down/,
    ],
    [['--upstream', 'h:1 weight=0'], /--upstream: weight must be a whole number from 1/],
    [['--upstream', 'h:1 weight'], /--upstream: weight must be a whole number from 1/],
    [['--upstream', 'h:1 weight='], /--upstream: weight must be a whole number from 1, not ''/],
    [['--upstream', 'h:1 weight=2 weight=3'], /--upstream: weight is given twice/],
    [['--upstream', 'h:1 down down'], /--upstream: down is given twice/],
    [['--upstream', 'h:1 backup=1'], /--upstream has no parameter 'backup=1'/],
    [['--upstream', 'h:1 fail_timeout=soon'], /--upstream: fail_timeout must be a time/],
    [['--upstream', 'h:1 backup'], /--upstream: all are backup or down/],
    [['--backend', 'apache'], /--backend must be php-fpm or generic/],
    [['--headers-timeout', 'long'], /--headers-timeout must be a number of seconds/],
    [
      ['--headers-timeout', '-1'],
      /--headers-timeout must be a number of seconds, such as 10 or 0.5, not '-1'/,
    ],
    [['--index', '--quiet'], /option '--index' lacks its value/],
    [['--log-format', 'xml'], /--log-format must be combined or json/],
    [['--param', 'PHP_ADMIN_VALUE=a=b'], /--param PHP_ADMIN_VALUE is obeyed by PHP-FPM/],
    [['--ini', `a='$\{B}`], /--ini a cannot hold both/],
    [['--upstream', 'nowhere'], /--upstream: .*nowhere/],
    [['--upstream', 'tcp://h:0'], /--upstream: .*port/],
    [['--upstream', 'unix:'], /--upstream: .*path/],
    [['--index', 'a/b.php'], /--index must be the name of a file/],
    [['--index', '.htaccess'], /--index must be the name of a file/],
    [['--index', ''], /--index must be the name of a file/],
    [['--front-controller', 'index.php'], /--front-controller must be a path that begins with '\/'/],
    [['--front-controller', '/index.html'], /--front-controller must end in \.php/],
    [['--connections', '0'], /--connections must be a whole number from 1/],
    [['--connections', 'many'], /--connections must be a whole number/],
    [['--connections', '1.5'], /--connections must be a whole number/],
    [['--connections=-1'], /--connections must be a whole number/],
    [['--fpm-root', 'www'], /--fpm-root must be an absolute path/],
    [['--fpm-root', '/a', '--resolve-root-symlink'], /--resolve-root-symlink: .* not go with --fpm-root/],
    [['--param', 'APP_ENV'], /--param must be NAME=VALUE/],
    [['--trusted-proxy', 'localhost'], /--trusted-proxy must be an address or a network/],
    [['--trusted-proxy', '10.0.0.0/40'], /--trusted-proxy must be an address or a network/],
    [['--post-data-reading', 'off'], /--post-data-reading must be a number of bytes/],
    [['--max-body', '1 MB'], /--max-body must be a number of bytes/],
    [['--max-body', 'g'], /--max-body must be a number of bytes/],
    [['--max-body', '99999999999999999'], /--max-body must be a number of bytes/],
    [['--response-buffering', 'on'], /--response-buffering must be a number of bytes, .* or off, not 'on'/],
    [['--max-temp-file-size', 'off'], /--max-temp-file-size must be a number of bytes/],
    [
      ['--response-buffering', 'off', '--max-temp-file-size', '1g'],
      /--max-temp-file-size does not go with --response-buffering off/,
    ],
    [['--on-client-abort', 'ignore'], /--on-client-abort must be close or finish, not 'ignore'/],
    [['--keepalive-timeout', 'long'], /--keepalive-timeout must be a number of seconds/],
    [['--drain-timeout', 'soon'], /--drain-timeout must be a number of seconds/],
    [['--drain-timeout', '1e9'], /--drain-timeout must be a number of seconds/],
    [['--listen', '*:80'], /--listen must be HOST:PORT/],
    [['--fpm-status', 'status'], /--fpm-status must be a path that begins with/],
    [['--drain-timeout', '3000000'], /--drain-timeout must be 2147483 seconds at most/],
    [['--ini', 'memory_limit'], /--ini must be NAME=VALUE/],
    [['--ini', '=1'], /--ini must be NAME=VALUE/],
    [['--ini', 'a b=1'], /--ini must be the NAME=VALUE of a php.ini setting/],
    [['--upstream', 'h:1', '--fpm', 'x'], /--fpm is for a php-fpm of our own/],
    [['--php', 'newest'], /--php must be a version, such as 8\.3/],
    [['--php', '8.3', '--fpm', 'x'], /--php chooses among those that are found/],
    [['--upstream', 'h:1', '--php', '8'], /--php is for a php-fpm of our own/],
    [['--upstream', 'h:1', '--user', 'x'], /--user is for a php-fpm of our own/],
    [['--upstream', 'h:1', '--ini', 'x=1'], /--ini is for a php-fpm of our own/],
  ])('refuses %j and says why', (typed, why) => {
    expect(() => parseCommand(['serve', ...typed])).toThrow(UsageError);
    expect(() => parseCommand(['serve', ...typed])).toThrow(why);
    expect(() => parseCommand(['serve', ...typed])).toThrow(/^serve: .* \(try: fastcgi-pool serve --help\)$/);
  });
});

describe('request', () => {
  const cases: readonly Case[] = [
    [[], {}],
    [['-X', 'DELETE'], { method: 'DELETE' }],
    [['--method', 'put'], { method: 'put' }],
    [['-d', 'a=1'], { data: { from: 'text', text: 'a=1' }, method: 'POST' }],
    [['-d', ''], { data: { from: 'text', text: '' }, method: 'POST' }],
    [['-d', 'a=1', '-X', 'PUT'], { data: { from: 'text', text: 'a=1' }, method: 'PUT' }],
    [['--data', '@form.txt'], { data: { from: 'file', path: 'form.txt' }, method: 'POST' }],
    [['-d', '@-'], { data: { from: 'stdin' }, method: 'POST' }],
    [
      ['-H', 'Accept: text/html', '--header', 'X-A:b: c '],
      {
        headers: [
          ['Accept', 'text/html'],
          ['X-A', 'b: c'],
        ],
      },
    ],
    [['-H', 'X-Empty:'], { headers: [['X-Empty', '']] }],
    [
      ['-p', 'REMOTE_USER=me', '--param', 'EQ=a=b'],
      {
        params: [
          ['REMOTE_USER', 'me'],
          ['EQ', 'a=b'],
        ],
      },
    ],
    [['-i'], { include: true }],
    [['--include', '--fail'], { include: true, fail: true }],
    [['-f'], { fail: true }],
    [['--timeout', '2'], { timeout: 2000 }],
    [['--proxied', '--backend', 'generic'], { peer: { proxied: true, backend: 'generic' } }],
  ];

  it.each(cases)('reads %j', (typed, changes) => {
    expect(parseCommand(['request', '127.0.0.1:9000', '/srv/a.php', ...typed])).toEqual({
      ...requestDefaults,
      ...changes,
    });
  });

  it('takes the query from the script', () => {
    expect(parseCommand(['request', '127.0.0.1:9000', '/srv/a.php?x=1&y=?'])).toEqual({
      ...requestDefaults,
      query: 'x=1&y=?',
    });
  });

  it.each<[string[], RegExp]>([
    [[], /ADDRESS is missing/],
    [['h:1'], /SCRIPT is missing/],
    [['h:1', 'a.php', 'b.php'], /too many: 'b.php'/],
    [['h', 'a.php'], /ADDRESS: .*: h:/],
    [['h:1', '?x=1'], /SCRIPT must be the path/],
    [['h:1', 'a.php', '-X', 'A B'], /--method must be a word/],
    [['h:1', 'a.php', '-H', 'Accept'], /--header must be 'Name: value'/],
    [['h:1', 'a.php', '-H', 'A B: c'], /--header must be 'Name: value'/],
    [['h:1', 'a.php', '-H', 'A: b\r\nC: d'], /--header must be 'Name: value'/],
    [['h:1', 'a.php', '-p', 'NAME'], /--param must be NAME=VALUE/],
    [['h:1', 'a.php', '-d', '@'], /--data @ lacks the name of a file/],
    [['h:1', 'a.php', '--timeout', '-1'], /--timeout/],
    [['h:1', 'a.php', '--json'], /unknown option '--json'/],
  ])('refuses %j and says why', (typed, why) => {
    expect(() => parseCommand(['request', ...typed])).toThrow(UsageError);
    expect(() => parseCommand(['request', ...typed])).toThrow(why);
  });
});

describe('ping and status', () => {
  it.each<[string[], Readonly<Record<string, unknown>>]>([
    [['ping', 'h:1'], { name: 'ping', address: 'h:1', path: '/ping', timeout: 5000, peer: {} }],
    [
      ['ping', 'unix:/a', '--path', '/p', '--timeout', '0'],
      { name: 'ping', address: 'unix:/a', path: '/p', timeout: 0, peer: {} },
    ],
    [
      ['status', 'h:1'],
      { name: 'status', address: 'h:1', path: '/status', json: false, full: false, timeout: 5000, peer: {} },
    ],
    [
      ['status', 'h:1', '--json', '--full', '--path', '/s', '--timeout', '0.25'],
      { name: 'status', address: 'h:1', path: '/s', json: true, full: true, timeout: 250, peer: {} },
    ],
  ])('reads %j', (argv, command) => {
    expect(parseCommand(argv)).toEqual(command);
  });

  it.each<[string[], RegExp]>([
    [['ping'], /^ping: ADDRESS is missing/],
    [['ping', 'x'], /^ping: ADDRESS: /],
    [['ping', 'h:1', 'h:2'], /too many: 'h:2'/],
    [['ping', 'h:1', '--json'], /unknown option '--json'/],
    [['ping', 'h:1', '--path', 'ping'], /--path must be a path that begins with '\/'/],
    [['status'], /^status: ADDRESS is missing/],
    [['status', 'h:1', '--path', '/a?b'], /--path must be a path/],
    [['status', 'h:1', '--json=1'], /--json/],
  ])('refuses %j and says why', (argv, why) => {
    expect(() => parseCommand(argv)).toThrow(UsageError);
    expect(() => parseCommand(argv)).toThrow(why);
  });
});

describe('help and version', () => {
  it.each(['serve', 'request', 'ping', 'status'])(
    '%s --help is about that command, whatever else is typed',
    (name) => {
      const help = { name: 'help', text: expect.stringMatching(new RegExp(`^Usage: fastcgi-pool ${name} `)) };
      expect(parseCommand([name, '--help'])).toEqual(help);
      expect(parseCommand([name, '--bogus', '-h'])).toEqual(help);
      expect(parseCommand(['help', name])).toEqual(help);
    },
  );

  it.each([['--help'], ['-h'], ['help']])('%s names every command and every exit status', (word) => {
    const command = parseCommand([word]);
    expect(command).toMatchObject({ name: 'help' });
    const text = 'text' in command ? command.text : '';
    for (const name of ['serve', 'request', 'ping', 'status', '0 done', '1 failed', '2 bad input']) {
      expect(text).toContain(name);
    }
  });

  it.each([['--version'], ['-V']])('%s asks for the version', (word) => {
    expect(parseCommand([word])).toEqual({ name: 'version' });
  });

  it('no command, an unknown command and an unknown option are bad input', () => {
    expect(() => parseCommand([])).toThrow(new UsageError('COMMAND is missing (try: fastcgi-pool --help)'));
    expect(() => parseCommand(['sevre'])).toThrow(/^unknown command 'sevre'/);
    expect(() => parseCommand(['--sevre'])).toThrow(/^unknown option '--sevre' \(try/);
  });

  it.each([
    [['sevre'], "unknown command 'sevre': is serve meant?"],
    [['statsu', 'h:1'], "unknown command 'statsu': is status meant?"],
    [['--verison'], "unknown option '--verison': is --version meant?"],
    [['ping', 'h:1', '--tiemout', '3'], "ping: unknown option '--tiemout': is --timeout meant?"],
    [['serve', '--upstrem=h:1'], "serve: unknown option '--upstrem': is --upstream meant?"],
    [
      ['serve', '--frontcontroller', '/i.php'],
      "unknown option '--frontcontroller': is --front-controller meant?",
    ],
    [['serve', '--trusted-proxies', '::1'], "unknown option '--trusted-proxies': is --trusted-proxy meant?"],
    [['serve', '--port', '80'], "serve: unknown option '--port': is --listen meant?"],
    [['serve', '--host=0.0.0.0'], "serve: unknown option '--host': is --listen meant?"],
    [['serve', '--bind', '::'], "serve: unknown option '--bind': is --listen meant?"],
    [['ping', 'h:1', '--port', '80'], "ping: unknown option '--port' (try"],
    [['serve', '--constructor'], "serve: unknown option '--constructor' (try"],
    [['serve', '--pot', '80'], "serve: unknown option '--pot' (try"],
    [['php'], "unknown command 'php' (try"],
    [['serve', '-x'], "serve: unknown option '-x' (try"],
  ])('%j is bad input, and what is meant is said where a name is like it', (argv, said) => {
    expect(() => parseCommand(argv)).toThrow(said);
  });

  it('every option of a command is in its help', () => {
    const options = {
      serve: [
        'listen',
        'upstream',
        'index',
        'front-controller',
        'connections',
        'fpm-root',
        'allow-symlinks-to',
      ].concat([
        'param',
        'trusted-proxy',
        'max-body',
        'response-buffering',
        'max-temp-file-size',
        'keepalive-timeout',
        'drain-timeout',
        'quiet',
        'fpm',
        'user',
        'ini',
      ]),
      request: ['method', 'header', 'param', 'data', 'include', 'fail', 'timeout'],
      ping: ['path', 'timeout'],
      status: ['path', 'full', 'json', 'timeout'],
    };
    for (const [name, names] of Object.entries(options)) {
      const command = parseCommand([name, '--help']);
      for (const option of names) expect('text' in command ? command.text : '').toContain(`--${option}`);
    }
  });

  it('no line of help is wider than a terminal of 80 columns', () => {
    for (const argv of [
      ['--help'],
      ...['serve', 'request', 'ping', 'status', 'opcache', 'doctor', 'top'].map((name) => [name, '-h']),
    ]) {
      const command = parseCommand(argv);
      const widths = ('text' in command ? command.text : '').split('\n').map((line) => line.length);
      expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    }
  });
});
