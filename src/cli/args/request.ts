/** `request`: what was typed, as a value. */

import { UsageError } from '../usage-error.ts';
import { parseOptions, positionals } from './options.ts';
import { type Peer, peerOf, peerOptions } from './peer.ts';
import { address, header, nameValue, type Pair, seconds } from './values.ts';

export interface RequestCommand {
  readonly name: 'request';
  readonly address: string;
  /** The path of the script as PHP-FPM sees it. */
  readonly script: string;
  /** Without the '?'. */
  readonly query: string;
  readonly method: string;
  readonly headers: readonly Pair[];
  readonly params: readonly Pair[];
  readonly data: DataSource | null;
  /** Status line and headers to stdout as well. */
  readonly include: boolean;
  /** Exit status 1 where the response's status is 400 or more. */
  readonly fail: boolean;
  /** Milliseconds for the whole request; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
}

export type DataSource =
  | { readonly from: 'text'; readonly text: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'stdin' };

export const requestHelp = `Usage: fastcgi-pool request ADDRESS SCRIPT[?QUERY] [options]

Sends one request straight to PHP-FPM. The body of the response goes to
stdout, what PHP writes to its STDERR goes to stderr.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.
SCRIPT is the script's file as PHP-FPM sees it; a relative path is taken from
the current folder.

  -X, --method METHOD      default GET, or POST with -d
  -H, --header 'N: VALUE'  an HTTP header (repeatable)
  -p, --param NAME=VALUE   a FastCGI param, such as REMOTE_USER=me; goes before
                           all others (repeatable)
  -d, --data BODY          the body; @FILE: what the file holds; @-: stdin
  -i, --include            the status line and the headers first
  -f, --fail               exit with 1 where the status is 400 or more
      --timeout SECONDS    for the whole request (default: no limit)
      --backend KIND       php-fpm, or generic: no PHP-FPM (default: found out)
      --proxied            a TCP proxy stands in between
`;

const options = {
  method: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  param: { type: 'string', short: 'p', multiple: true },
  data: { type: 'string', short: 'd' },
  include: { type: 'boolean', short: 'i', default: false },
  fail: { type: 'boolean', short: 'f', default: false },
  timeout: { type: 'string', default: '0' },
  ...peerOptions,
} as const;

export function parseRequest(args: readonly string[]): RequestCommand {
  const parsed = parseOptions(args, options);
  const { values } = parsed;
  const [server = '', target = ''] = positionals(parsed.positionals, ['ADDRESS', 'SCRIPT']);
  const { script, query } = splitTarget(target);
  const data = values.data === undefined ? null : dataSource(values.data);
  return {
    name: 'request',
    address: address('ADDRESS', server),
    script,
    query,
    method: method(values.method ?? (data === null ? 'GET' : 'POST')),
    headers: (values.header ?? []).map((text) => header('--header', text)),
    params: (values.param ?? []).map((text) => nameValue('--param', text)),
    data,
    include: values.include,
    fail: values.fail,
    timeout: seconds('--timeout', values.timeout),
    peer: peerOf(values),
  };
}

function splitTarget(target: string): { script: string; query: string } {
  const at = target.indexOf('?');
  const script = at === -1 ? target : target.slice(0, at);
  if (script === '') throw new UsageError('SCRIPT must be the path of a PHP file');
  return { script, query: at === -1 ? '' : target.slice(at + 1) };
}

function method(text: string): string {
  if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(text)) return text;
  throw new UsageError(`--method must be a word such as PUT, not '${text}'`);
}

function dataSource(text: string): DataSource {
  if (text === '@-') return { from: 'stdin' };
  if (text === '@') throw new UsageError('--data @ lacks the name of a file');
  return text.startsWith('@') ? { from: 'file', path: text.slice(1) } : { from: 'text', text };
}
