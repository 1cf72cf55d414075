/** `serve`: what was typed, as a value. */

import { controlParams } from '../../cgi/control-params.ts';
import { isNetwork } from '../../gateway/request/proxies.ts';
import type { ConnectOptions } from '../connect.ts';
import { iniArgument } from '../fpm/ini.ts';
import type { Place } from '../serve/listen-on.ts';
import { UsageError } from '../usage-error.ts';
import { parseOptions } from './options.ts';
import { type Peer, peerOf, peerOptions } from './peer.ts';
import { address, bytes, integer, listenPlace, nameValue, type Pair, seconds, urlPath } from './values.ts';

export interface ServeCommand {
  readonly name: 'serve';
  readonly docroot: string;
  readonly listen: readonly Place[];
  /** Empty: a php-fpm of our own. */
  readonly upstream: readonly string[];
  readonly index: string;
  readonly frontController: string | null;
  /** To each upstream; also the children of our own php-fpm. */
  readonly connections: number;
  /** Null: php-fpm, unless a setting of its own speaks against it. */
  readonly backend: Peer['backend'] | null;
  /** A TCP proxy stands in front of PHP-FPM. */
  readonly proxied: boolean;
  /** Milliseconds; only those that were given. */
  readonly timeouts: Timeouts;
  /** DOCROOT as PHP-FPM sees it; null: the same. */
  readonly fpmRoot: string | null;
  /** Folders outside DOCROOT to which links in it may lead. */
  readonly allowSymlinksTo: readonly string[];
  /** They win over what the gateway sends to PHP. */
  readonly params: readonly Pair[];
  /** They may be such as PHP-FPM obeys. */
  readonly allowControlParams: boolean;
  /** Addresses and networks whose X-Forwarded-For and -Proto are believed. */
  readonly trustedProxies: readonly string[];
  /** Bytes; null: the gateway's default. */
  readonly maxBody: number | null;
  /** Milliseconds; 0: no limit. */
  readonly drainTimeout: number;
  readonly quiet: boolean;
  readonly logFormat: 'combined' | 'json';
  /** Where the status page is; null: nowhere. */
  readonly status: string | null;
  /** Nothing is served: it is looked whether it could be. */
  readonly check: boolean;
  /** The program; null: the newest that can be found. */
  readonly fpm: string | null;
  /** Who runs our own php-fpm's children; null: see fpm/user.ts. */
  readonly user: string | null;
  /** php.ini settings for our own php-fpm. */
  readonly ini: readonly Pair[];
}

type Timeouts = Pick<ConnectOptions, 'connectTimeout' | 'queueTimeout' | 'headersTimeout' | 'bodyTimeout'>;

export const serveHelp = `Usage: fastcgi-pool serve [DOCROOT] [options]

Serves a PHP application over HTTP: files in DOCROOT (default: the current
folder) as they are, *.php through PHP-FPM over kept connections.

  --listen HOST:PORT       where to listen (default 127.0.0.1:8080; port 0: any
                           free one), or unix:/path (repeatable)
  --upstream ADDRESS       a PHP-FPM that runs already; more than one share the
                           load. Without it a private php-fpm is started
  --connections N          connections to each PHP-FPM at most, and children of
                           the private one (default 8)
  --backend KIND           php-fpm, or generic: a FastCGI server that is no
                           PHP-FPM (default: the pool finds out)
  --proxied                a TCP proxy stands in front of PHP-FPM
  --headers-timeout S      how many seconds a script may take until its head is
                           there (default 60; 0: no limit); so may the others:
  --body-timeout S         between two pieces of its page (default 60)
  --queue-timeout S        waiting for a connection that is free
  --connect-timeout S      connecting
  --index NAME             served for a folder (default index.php); index.html
                           comes next
  --front-controller PATH  gets what is neither file, folder nor script, such
                           as /index.php (nginx's try_files $uri $uri/ PATH)
  --fpm-root DIR           DOCROOT as PHP-FPM sees it, in another container say
  --allow-symlinks-to DIR  links out of DOCROOT may lead here (repeatable)
  --param NAME=VALUE       set in $_SERVER, as by nginx's fastcgi_param (may be
                           repeated); SERVER_SOFTWARE=nginx, say, so that
                           WordPress offers permalinks without /index.php/ and
                           Moodle agrees to be installed
  --allow-control-params   --param may be one that PHP-FPM obeys, such as
                           PHP_VALUE
  --trusted-proxy ADDRESS  believe X-Forwarded-For and -Proto from this address
                           or network, such as 10.0.0.0/8 (repeatable)
  --max-body BYTES         larger requests get 413; 512k, 64m, 2g. 0: no limit
  --drain-timeout SECONDS  how long requests may go on after the first signal
                           (default 30; 0: no limit)
  --log-format FORMAT      of the access log: combined (default), nginx's; or
                           json, which has the seconds taken, too
  --quiet                  no access log
  --status PATH            where who sits at this machine sees how all is doing
                           (default /-/fastcgi-pool); off: nowhere
  --check                  only see whether all is well: exit with 0 if it is

For the private php-fpm, without --upstream:
  --fpm PROGRAM            default: the newest php-fpm found in PATH, the sbin
                           folders and /opt
  --user NAME              who runs PHP, when started as root (default: the
                           owner of DOCROOT; where that is root, www-data if it
                           can read DOCROOT, else root)
  --ini NAME=VALUE         a php.ini setting, such as upload_max_filesize=1G
                           (repeatable); the value is taken as it is

The URL goes to stdout in one line when all is ready, then the access log. What
PHP and php-fpm complain about goes to stderr. Never sent: source and copies of
it, configuration, keys, logs and dumps, names that begin with a dot (except
.well-known), and what a symbolic link leads to outside DOCROOT.
As with nginx, .htaccess files have no effect, those that deny access included.

PHP sees the environment of this command. SIGTERM, SIGINT and SIGHUP finish
the requests in progress, then exit with 0; a second one ends at once.
`;

const options = {
  listen: { type: 'string', multiple: true },
  ...peerOptions,
  'connect-timeout': { type: 'string' },
  'queue-timeout': { type: 'string' },
  'headers-timeout': { type: 'string' },
  'body-timeout': { type: 'string' },
  'allow-control-params': { type: 'boolean', default: false },
  'log-format': { type: 'string', default: 'combined' },
  check: { type: 'boolean', default: false },
  status: { type: 'string', default: '/-/fastcgi-pool' },
  upstream: { type: 'string', multiple: true },
  index: { type: 'string', default: 'index.php' },
  'front-controller': { type: 'string' },
  connections: { type: 'string', default: '8' },
  'fpm-root': { type: 'string' },
  'allow-symlinks-to': { type: 'string', multiple: true },
  param: { type: 'string', multiple: true },
  'trusted-proxy': { type: 'string', multiple: true },
  'max-body': { type: 'string' },
  'drain-timeout': { type: 'string', default: '30' },
  quiet: { type: 'boolean', default: false },
  fpm: { type: 'string' },
  user: { type: 'string' },
  ini: { type: 'string', multiple: true },
} as const;

export function parseServe(args: readonly string[]): ServeCommand {
  const { values, positionals } = parseOptions(args, options);
  const [docroot = '.', extra] = positionals;
  if (extra !== undefined) throw new UsageError(`one argument too many: '${extra}'`);
  const command: ServeCommand = {
    name: 'serve',
    docroot,
    listen: (values.listen ?? ['127.0.0.1:8080']).map((text) => listenPlace('--listen', text)),
    upstream: (values.upstream ?? []).map((text) => address('--upstream', text)),
    index: fileName('--index', values.index),
    frontController: optional(values['front-controller'], frontController),
    connections: integer('--connections', values.connections, 1, 10_000),
    backend: peerOf(values).backend ?? null,
    proxied: values.proxied,
    timeouts: timeouts(values),
    fpmRoot: optional(values['fpm-root'], fpmRoot),
    allowSymlinksTo: values['allow-symlinks-to'] ?? [],
    params: (values.param ?? []).map((text) => nameValue('--param', text)),
    allowControlParams: values['allow-control-params'],
    trustedProxies: (values['trusted-proxy'] ?? []).map(trustedProxy),
    maxBody: optional(values['max-body'], (text) => bytes('--max-body', text)),
    drainTimeout: seconds('--drain-timeout', values['drain-timeout']),
    quiet: values.quiet,
    logFormat: logFormat(values['log-format']),
    status: values.status === 'off' ? null : urlPath('--status', values.status),
    check: values.check,
    fpm: values.fpm ?? null,
    user: values.user ?? null,
    ini: (values.ini ?? []).map((text) => iniSetting('--ini', text)),
  };
  if (command.upstream.length > 0) refusePrivateOptions(command);
  refuseControlParams(command);
  return command;
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | null {
  return text === undefined ? null : read(text);
}

function fileName(option: string, text: string): string {
  if (/^[^/\0.][^/\0]*$/.test(text)) return text;
  throw new UsageError(`${option} must be the name of a file, such as index.php, not '${text}'`);
}

function frontController(text: string): string {
  const path = urlPath('--front-controller', text);
  if (path.endsWith('.php')) return path;
  throw new UsageError(`--front-controller must end in .php, such as /index.php, not '${text}'`);
}

function fpmRoot(text: string): string {
  if (text.startsWith('/')) return text;
  throw new UsageError(`--fpm-root must be an absolute path, not '${text}'`);
}

function trustedProxy(text: string): string {
  if (text !== 'unix' && isNetwork(text)) return text;
  throw new UsageError(`--trusted-proxy must be an address or a network, such as 10.0.0.0/8, not '${text}'`);
}

function logFormat(text: string): 'combined' | 'json' {
  if (text === 'combined' || text === 'json') return text;
  throw new UsageError(`--log-format must be combined or json, not '${text}'`);
}

const timeoutOptions = {
  'connect-timeout': 'connectTimeout',
  'queue-timeout': 'queueTimeout',
  'headers-timeout': 'headersTimeout',
  'body-timeout': 'bodyTimeout',
} as const;

function timeouts(values: { readonly [K in keyof typeof timeoutOptions]?: string | undefined }): Timeouts {
  const given: { -readonly [K in keyof Timeouts]: Timeouts[K] } = {};
  for (const option of Object.keys(timeoutOptions) as (keyof typeof timeoutOptions)[]) {
    const text = values[option];
    if (text !== undefined) given[timeoutOptions[option]] = seconds(`--${option}`, text);
  }
  return given;
}

/** A setting of PHP, say, that came from a template by mistake would let whoever fills it in run any code. */
function refuseControlParams({ params, allowControlParams }: ServeCommand): void {
  const found = params.find(([name]) => controlParams.includes(name));
  if (!found || allowControlParams) return;
  throw new UsageError(`--param ${found[0]} is obeyed by PHP-FPM: it needs --allow-control-params`);
}

function iniSetting(option: string, text: string): Pair {
  const [name, value] = nameValue(option, text);
  // makes sure that its value can be handed on
  if (/^[\w.]+$/.test(name) && iniArgument([name, value])) return [name, value];
  throw new UsageError(`${option} must be the NAME=VALUE of a php.ini setting, not '${text}'`);
}

/** Silently ignored they would seem to work. */
function refusePrivateOptions(command: ServeCommand): void {
  const given = [command.fpm && '--fpm', command.user && '--user', command.ini.length > 0 && '--ini'];
  const first = given.find((option) => option);
  if (first) throw new UsageError(`${first} is for a php-fpm of our own; it does not go with --upstream`);
}
