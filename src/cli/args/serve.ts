/** `serve`: what was typed, as a value. */
import type { ListenAddress } from '../serve/http/listen-address.ts';
import { UsageError } from '../usage-error.ts';
import { parseOptions } from './options.ts';
import { optional, type SiteCommand, siteCommand, siteOptions } from './site.ts';
import { integer, listenAddress, seconds } from './values.ts';

export interface ServeCommand {
  readonly name: 'serve';
  /** Null: 127.0.0.1:8080, or the sockets that were handed over. */
  readonly listen: readonly ListenAddress[] | null;
  /** Of unix sockets; null: as the umask has it. */
  readonly listenMode: number | null;
  /** Null: no place is spoken to by TLS. */
  readonly tls: TlsFiles | 'localhost' | null;
  readonly workers: number;
  /** Vite, in front of the front controller. */
  readonly dev: boolean;
  /** Milliseconds; 0: no limit. So is the next. */
  readonly keepaliveTimeout: number;
  readonly drainTimeout: number;
  readonly quiet: boolean;
  /** A file; null: stdout. */
  readonly accessLog: string | null;
  readonly logFormat: 'combined' | 'json';
  /** Nothing is served: it is looked whether it could be. */
  readonly check: boolean;
  /** A file with more of all this; null once it has been read. */
  readonly config: string | null;
  /** As they were typed: they win over the file. */
  readonly args: readonly string[];
  /** One, or those of the file; the first answers for hosts that nobody has. */
  readonly sites: readonly [SiteCommand, ...SiteCommand[]];
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Of the whole server; all others may differ between sites. */
export const serverOptions = {
  listen: { type: 'string', multiple: true },
  'listen-mode': { type: 'string' },
  tls: { type: 'boolean', default: false },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  workers: { type: 'string', default: '1' },
  dev: { type: 'boolean', default: false },
  'keepalive-timeout': { type: 'string', default: '75' },
  'drain-timeout': { type: 'string', default: '30' },
  quiet: { type: 'boolean', default: false },
  'access-log': { type: 'string' },
  'log-format': { type: 'string', default: 'combined' },
  check: { type: 'boolean', default: false },
} as const;

const options = { ...siteOptions, ...serverOptions, config: { type: 'string' } } as const;

/** `hosts` where all this comes from a file: [], or those of the one site of several. */
export function parseServe(args: readonly string[], hosts: readonly string[] | null = null): ServeCommand {
  const { values, positionals } = parseOptions(args, options);
  const [docroot = '.', extra] = positionals;
  if (extra !== undefined) throw new UsageError(`one argument too many: '${extra}'`);
  // what is typed may need what the file has: both together are looked at once it is read
  const isPart = values.config !== undefined;
  const tls = isPart ? null : tlsOf(values);
  const listen =
    values.listen?.map((text) => listenAddress('--listen', text, isPart || tls !== null)) ?? null;
  const listenMode = optional(values['listen-mode'], fileMode);
  if (!isPart && hosts === null && listenMode !== null && !listen?.some((place) => 'path' in place)) {
    throw new UsageError('--listen-mode is for unix sockets: there is no --listen unix:/path');
  }
  if (values.quiet && values['access-log'] !== undefined) {
    throw new UsageError('--quiet means no access log; it does not go with --access-log');
  }
  return {
    name: 'serve',
    listen,
    listenMode,
    tls,
    dev: values.dev,
    workers: integer('--workers', values.workers, 1, 256),
    keepaliveTimeout: seconds('--keepalive-timeout', values['keepalive-timeout']),
    drainTimeout: seconds('--drain-timeout', values['drain-timeout']),
    quiet: values.quiet,
    accessLog: optional(values['access-log'], logFile),
    logFormat: logFormat(values['log-format']),
    check: values.check,
    config: values.config ?? null,
    args,
    sites: [siteCommand(values, docroot, hosts ?? [])],
  };
}

interface TlsValues {
  readonly tls: boolean;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
}

function tlsOf({ tls, 'tls-cert': cert, 'tls-key': key }: TlsValues): TlsFiles | 'localhost' | null {
  if (cert !== undefined && key !== undefined) {
    if (tls) throw new UsageError('--tls makes a certificate; it does not go with --tls-cert');
    return { cert, key };
  }
  if (cert !== undefined) throw new UsageError('--tls-cert needs --tls-key');
  if (key !== undefined) throw new UsageError('--tls-key needs --tls-cert');
  return tls ? 'localhost' : null;
}

function fileMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new UsageError(`--listen-mode must be octal digits, such as 0660, not '${text}'`);
}

/** What other programs take for no log, and for stdout: as a file it would grow unseen in the current folder. */
export function isNoFile(text: string): boolean {
  return text === '' || text === 'off' || text === '-';
}

function logFile(text: string): string {
  if (!isNoFile(text)) return text;
  const what = text === 'off' ? '--quiet keeps no log' : 'without it the log goes to stdout';
  const file = text === '' ? '' : ` (a file of that name is ./${text})`;
  throw new UsageError(`--access-log must be a file, not '${text}': ${what}${file}`);
}

function logFormat(text: string): 'combined' | 'json' {
  if (text === 'combined' || text === 'json') return text;
  throw new UsageError(`--log-format must be combined or json, not '${text}'`);
}
