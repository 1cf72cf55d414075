/** `serve`: what was typed, as a value. */
import { isNetwork } from '../../gateway/request/proxies.ts';
import { UsageError } from '../usage-error.ts';
import { parseOptions } from './options.ts';
import {
  address,
  bytes,
  type HostPort,
  hostPort,
  integer,
  nameValue,
  type Pair,
  seconds,
  urlPath,
} from './values.ts';

export interface ServeCommand {
  readonly name: 'serve';
  readonly docroot: string;
  readonly listen: HostPort;
  /** Empty: a php-fpm of our own. */
  readonly upstream: readonly string[];
  readonly index: string;
  readonly frontController: string | null;
  /** To each upstream; also the children of our own php-fpm. */
  readonly connections: number;
  /** DOCROOT as PHP-FPM sees it; null: the same. */
  readonly fpmRoot: string | null;
  /** Folders outside DOCROOT to which links in it may lead. */
  readonly allowSymlinksTo: readonly string[];
  /** They win over what the gateway sends to PHP. */
  readonly params: readonly Pair[];
  /** Addresses and networks whose X-Forwarded-For and -Proto are believed. */
  readonly trustedProxies: readonly string[];
  /** Bytes; null: the gateway's default. */
  readonly maxBody: number | null;
  /** Milliseconds; 0: no limit. */
  readonly drainTimeout: number;
  readonly quiet: boolean;
  /** The program; null: the newest that can be found. */
  readonly fpm: string | null;
  /** Who runs our own php-fpm's children; null: see fpm/user.ts. */
  readonly user: string | null;
  /** php.ini settings for our own php-fpm. */
  readonly ini: readonly Pair[];
}

export const serveHelp = `Usage: fastcgi-pool serve [DOCROOT] [options]

Serves a PHP application over HTTP: files in DOCROOT (default: the current
folder) as they are, *.php through PHP-FPM over kept connections.

  --listen HOST:PORT       where to listen (default 127.0.0.1:8080; port 0: any
                           free one)
  --upstream ADDRESS       a PHP-FPM that runs already; more than one share the
                           load. Without it a private php-fpm is started
  --connections N          connections to each PHP-FPM at most, and children of
                           the private one (default 8)
  --index NAME             served for a folder (default index.php); index.html
                           comes next
  --front-controller PATH  gets what is neither file, folder nor script, such
                           as /index.php (nginx's try_files $uri $uri/ PATH)
  --fpm-root DIR           DOCROOT as PHP-FPM sees it, in another container say
  --allow-symlinks-to DIR  links out of DOCROOT may lead here (repeatable)
  --param NAME=VALUE       set in $_SERVER, as by nginx's fastcgi_param (may be
                           repeated); SERVER_SOFTWARE=nginx, say, so that
                           WordPress offers permalinks without /index.php/
  --trusted-proxy ADDRESS  believe X-Forwarded-For and -Proto from this address
                           or network, such as 10.0.0.0/8 (repeatable)
  --max-body BYTES         larger requests get 413; 512k, 64m, 2g. 0: no limit
  --drain-timeout SECONDS  how long requests may go on after the first signal
                           (default 30; 0: no limit)
  --quiet                  no access log

For the private php-fpm, without --upstream:
  --fpm PROGRAM            default: the newest php-fpm found in PATH, the sbin
                           folders and /opt
  --user NAME              who runs PHP, when started as root (default: the
                           owner of DOCROOT; where that is root, www-data if it
                           can read DOCROOT, else root)
  --ini NAME=VALUE         a php.ini setting, such as upload_max_filesize=1G
                           (repeatable)

The URL goes to stdout in one line when all is ready, then the access log in
nginx's combined format with the seconds taken. What PHP and php-fpm complain
about goes to stderr. Never sent: PHP source, names that begin with a dot
(except .well-known), and what a symbolic link leads to outside DOCROOT.
As with nginx, .htaccess files have no effect, those that deny access included.

PHP sees the environment of this command. SIGTERM, SIGINT and SIGHUP finish
the requests in progress, then exit with 0; a second one ends at once.
`;

const options = {
  listen: { type: 'string', default: '127.0.0.1:8080' },
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
    listen: hostPort('--listen', values.listen),
    upstream: (values.upstream ?? []).map((text) => address('--upstream', text)),
    index: fileName('--index', values.index),
    frontController: optional(values['front-controller'], frontController),
    connections: integer('--connections', values.connections, 1, 10_000),
    fpmRoot: optional(values['fpm-root'], fpmRoot),
    allowSymlinksTo: values['allow-symlinks-to'] ?? [],
    params: (values.param ?? []).map((text) => nameValue('--param', text)),
    trustedProxies: (values['trusted-proxy'] ?? []).map(trustedProxy),
    maxBody: optional(values['max-body'], (text) => bytes('--max-body', text)),
    drainTimeout: seconds('--drain-timeout', values['drain-timeout']),
    quiet: values.quiet,
    fpm: values.fpm ?? null,
    user: values.user ?? null,
    ini: (values.ini ?? []).map((text) => iniSetting('--ini', text)),
  };
  if (command.upstream.length > 0) refusePrivateOptions(command);
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

function iniSetting(option: string, text: string): Pair {
  const [name, value] = nameValue(option, text);
  if (/^[\w.]+$/.test(name)) return [name, value];
  throw new UsageError(`${option} must be the NAME=VALUE of a php.ini setting, not '${text}'`);
}

/** Silently ignored they would seem to work. */
function refusePrivateOptions(command: ServeCommand): void {
  const given = [command.fpm && '--fpm', command.user && '--user', command.ini.length > 0 && '--ini'];
  const first = given.find((option) => option);
  if (first) throw new UsageError(`${first} is for a php-fpm of our own; it does not go with --upstream`);
}
