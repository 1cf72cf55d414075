/** What `serve` is told of one site: its folder, and who runs its PHP. */
import { controlParams } from '../../cgi/control-params.ts';
import { isNetwork } from '../../gateway/request/proxies.ts';
import type { ConnectOptions } from '../connect.ts';
import { iniArgument } from '../fpm/ini.ts';
import { UsageError } from '../usage-error.ts';
import { type Peer, peerOf } from './peer.ts';
import { type Server, upstreamServer } from './upstream.ts';
import { bytes, integer, nameValue, type Pair, seconds, urlPath } from './values.ts';

export interface SiteCommand {
  /** Names of hosts, `*.example.org` among them; empty: all that no other site has. */
  readonly hosts: readonly string[];
  readonly docroot: string;
  /** Empty: a php-fpm of our own. */
  readonly upstream: readonly Server[];
  readonly index: string;
  readonly frontController: string | null;
  /** To each upstream; also the children of our own php-fpm. */
  readonly connections: number;
  /** Null: found out. */
  readonly backend: Peer['backend'] | null;
  /** A TCP proxy stands in front of PHP-FPM. */
  readonly proxied: boolean;
  /** Bytes of a POST body that PHP reads before its script starts; null: not told. */
  readonly postDataReading: number | null;
  /** Milliseconds; only those that were given. */
  readonly timeouts: Timeouts;
  /** DOCROOT as PHP-FPM sees it; null: the same. */
  readonly fpmRoot: string | null;
  /** DOCROOT is a link to a release: PHP is told its real path. */
  readonly resolveRootSymlink: boolean;
  /** Folders outside DOCROOT to which links in it may lead. */
  readonly allowSymlinksTo: readonly string[];
  /** Endings of names that are sent although they look like source, configuration or a copy. */
  readonly allowFiles: readonly string[];
  /** Of files; null: none. */
  readonly cacheControl: string | null;
  /** They win over what the gateway sends to PHP. */
  readonly params: readonly Pair[];
  /** They may be such as PHP-FPM obeys. */
  readonly allowControlParams: boolean;
  /** Addresses and networks whose X-Forwarded-For and -Proto are believed. */
  readonly trustedProxies: readonly string[];
  /** Bytes; null: the gateway's default. */
  readonly maxBody: number | null;
  /** Bytes of a reply in memory, 0: none; null: the gateway's default. */
  readonly responseBuffering: number | null;
  /** Bytes of a reply in a file; null: the gateway's default. */
  readonly maxTempFileSize: number | null;
  /** What becomes of a script whose client leaves. */
  readonly onClientAbort: 'close' | 'finish';
  /** gzip and brotli. */
  readonly compress: boolean;
  /** Where the status page is; null: nowhere. */
  readonly status: string | null;
  /** `pm.status_path` of the upstreams; null: not known. */
  readonly fpmStatus: string | null;
  /** The program; null: the newest that can be found. */
  readonly fpm: string | null;
  /** Its version, such as `8.3`, where there are several; null: the newest. */
  readonly php: string | null;
  /** Who runs our own php-fpm's children; null: see fpm/user.ts. */
  readonly user: string | null;
  /** php.ini settings for our own php-fpm. */
  readonly ini: readonly Pair[];
}

type Timeouts = Pick<ConnectOptions, 'connectTimeout' | 'queueTimeout' | 'headersTimeout' | 'bodyTimeout'>;

export const siteOptions = {
  backend: { type: 'string' },
  proxied: { type: 'boolean', default: false },
  'post-data-reading': { type: 'string' },
  'connect-timeout': { type: 'string' },
  'queue-timeout': { type: 'string' },
  'headers-timeout': { type: 'string' },
  'body-timeout': { type: 'string' },
  'allow-control-params': { type: 'boolean', default: false },
  upstream: { type: 'string', multiple: true },
  index: { type: 'string', default: 'index.php' },
  'front-controller': { type: 'string' },
  connections: { type: 'string', default: '8' },
  'fpm-root': { type: 'string' },
  'resolve-root-symlink': { type: 'boolean', default: false },
  'allow-symlinks-to': { type: 'string', multiple: true },
  'allow-files': { type: 'string', multiple: true },
  'cache-control': { type: 'string' },
  param: { type: 'string', multiple: true },
  'trusted-proxy': { type: 'string', multiple: true },
  'max-body': { type: 'string' },
  'response-buffering': { type: 'string' },
  'max-temp-file-size': { type: 'string' },
  'on-client-abort': { type: 'string', default: 'close' },
  compress: { type: 'boolean', default: false },
  status: { type: 'string', default: '/-/fastcgi-pool' },
  'fpm-status': { type: 'string' },
  fpm: { type: 'string' },
  php: { type: 'string' },
  user: { type: 'string' },
  ini: { type: 'string', multiple: true },
} as const;

type Specs = typeof siteOptions;
/** As `parseArgs` gives them. */
type SiteValues = {
  readonly [K in keyof Specs]?: Specs[K] extends { multiple: true }
    ? string[] | undefined
    : Specs[K]['type'] extends 'boolean'
      ? boolean | undefined
      : string | undefined;
};

export function siteCommand(values: SiteValues, docroot: string, hosts: readonly string[]): SiteCommand {
  const site: SiteCommand = {
    hosts,
    docroot,
    upstream: (values.upstream ?? []).map((text) => upstreamServer('--upstream', text)),
    index: fileName('--index', values.index ?? 'index.php'),
    frontController: optional(values['front-controller'], frontController),
    connections: integer('--connections', values.connections ?? '8', 1, 10_000),
    backend: peerOf({ backend: values.backend, proxied: false }).backend ?? null,
    proxied: values.proxied ?? false,
    postDataReading: optional(values['post-data-reading'], (text) => bytes('--post-data-reading', text)),
    timeouts: timeouts(values),
    fpmRoot: optional(values['fpm-root'], fpmRoot),
    resolveRootSymlink: values['resolve-root-symlink'] ?? false,
    allowSymlinksTo: values['allow-symlinks-to'] ?? [],
    allowFiles: (values['allow-files'] ?? []).map(fileEnding),
    cacheControl: optional(values['cache-control'], cacheControl),
    params: (values.param ?? []).map((text) => nameValue('--param', text)),
    allowControlParams: values['allow-control-params'] ?? false,
    trustedProxies: (values['trusted-proxy'] ?? []).map(trustedProxy),
    maxBody: optional(values['max-body'], (text) => bytes('--max-body', text)),
    responseBuffering: optional(values['response-buffering'], responseBuffering),
    maxTempFileSize: optional(values['max-temp-file-size'], (text) => bytes('--max-temp-file-size', text)),
    onClientAbort: onClientAbort(values['on-client-abort'] ?? 'close'),
    compress: values.compress ?? false,
    status: values.status === 'off' ? null : urlPath('--status', values.status ?? '/-/fastcgi-pool'),
    fpmStatus: optional(values['fpm-status'], (text) => urlPath('--fpm-status', text)),
    fpm: values.fpm ?? null,
    php: optional(values.php, phpVersion),
    user: values.user ?? null,
    ini: (values.ini ?? []).map((text) => iniSetting('--ini', text)),
  };
  if (site.upstream.length > 0) refusePrivateOptions(site);
  if (site.upstream.length > 0 && site.upstream.every(({ backup, down }) => backup || down)) {
    throw new UsageError('--upstream: all are backup or down: one must be neither');
  }
  if (site.php !== null && site.fpm !== null) {
    throw new UsageError('--php chooses among those that are found; it does not go with --fpm');
  }
  if (site.resolveRootSymlink && site.fpmRoot !== null) {
    throw new UsageError(
      '--resolve-root-symlink: the link must lead to the same place for PHP-FPM; it does not go with --fpm-root',
    );
  }
  if (site.responseBuffering === 0 && (site.maxTempFileSize ?? 0) > 0) {
    throw new UsageError('--max-temp-file-size does not go with --response-buffering off');
  }
  refuseControlParams(site);
  return site;
}

export function optional<T>(text: string | undefined, read: (text: string) => T): T | null {
  return text === undefined ? null : read(text);
}

function fileName(option: string, text: string): string {
  if (/^[^/\0.][^/\0]*$/.test(text)) return text;
  throw new UsageError(`${option} must be the name of a file, such as index.php, not '${text}'`);
}

function fileEnding(text: string): string {
  // a pattern would match nothing: * is meant as any name, which an ending says already
  if (/[./][^/\0]+$/.test(text) && !/[*?]/.test(text)) return text;
  throw new UsageError(`--allow-files must be the ending of a name, such as .yaml, not '${text}'`);
}

function cacheControl(text: string): string {
  if (/^[\x21-\x7e][\x20-\x7e]*$/.test(text)) return text;
  throw new UsageError(`--cache-control must be such as 'public, max-age=3600', not '${text}'`);
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

function phpVersion(text: string): string {
  if (/^\d{1,2}(\.\d{1,2}){0,2}$/.test(text)) return text;
  throw new UsageError(`--php must be a version, such as 8.3, not '${text}'`);
}

function responseBuffering(text: string): number {
  return text === 'off' ? 0 : bytes('--response-buffering', text, ' or off,');
}

function onClientAbort(text: string): SiteCommand['onClientAbort'] {
  if (text === 'close' || text === 'finish') return text;
  throw new UsageError(`--on-client-abort must be close or finish, not '${text}'`);
}

function trustedProxy(text: string): string {
  if (text === 'unix' || isNetwork(text)) return text;
  throw new UsageError(
    `--trusted-proxy must be an address or a network, such as 10.0.0.0/8, or unix, not '${text}'`,
  );
}

const timeoutOptions = {
  'connect-timeout': 'connectTimeout',
  'queue-timeout': 'queueTimeout',
  'headers-timeout': 'headersTimeout',
  'body-timeout': 'bodyTimeout',
} as const;

function timeouts(values: SiteValues): Timeouts {
  const given: { -readonly [K in keyof Timeouts]: Timeouts[K] } = {};
  for (const option of Object.keys(timeoutOptions) as (keyof typeof timeoutOptions)[]) {
    const text = values[option];
    if (text !== undefined) given[timeoutOptions[option]] = seconds(`--${option}`, text);
  }
  return given;
}

/** A setting of PHP, say, that came from a template by mistake would let whoever fills it in run any code. */
function refuseControlParams({ params, allowControlParams }: SiteCommand): void {
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
function refusePrivateOptions(site: SiteCommand): void {
  const given = [
    site.fpm && '--fpm',
    site.php && '--php',
    site.user && '--user',
    site.ini.length > 0 && '--ini',
  ];
  const first = given.find((option) => option);
  if (first) throw new UsageError(`${first} is for a php-fpm of our own; it does not go with --upstream`);
}
