/** `top`: what was typed, as a value. */
import { UsageError } from '../usage-error.ts';
import { parseOptions, positionals } from './options.ts';
import { type Peer, peerHelp, peerOf, peerOptions } from './peer.ts';
import { address, seconds, urlPath } from './values.ts';

export interface TopCommand {
  readonly name: 'top';
  /** Of a php-fpm, or the URL of a status page. */
  readonly from: { readonly address: string } | { readonly url: URL };
  /** `pm.status_path` of a php-fpm. */
  readonly path: string;
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly once: boolean;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
}

/** Where `serve` has the page. */
const PAGE = '/-/fastcgi-pool';

export const topHelp: string = `Usage: fastcgi-pool top ADDRESS|URL [options]

Shows again and again how all is doing. Of a PHP-FPM's ADDRESS: its own status,
with each worker. Of a URL, such as http://127.0.0.1:8080: the status page of
fastcgi-pool serve, or of statusHandler(), with servers, scripts and messages.
q or Ctrl-C ends it. Where stdout is no terminal, or TERM is dumb,
it shows one table and ends.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.

  --once             show one table and end
  --interval SECONDS
                     between two looks (default 1)
  --path PATH        of an ADDRESS: the pool's pm.status_path (default /status)
  --timeout SECONDS  default 5; 0: no limit
${peerHelp}`;

const options = {
  once: { type: 'boolean', default: false },
  interval: { type: 'string', default: '1' },
  path: { type: 'string', default: '/status' },
  timeout: { type: 'string', default: '5' },
  ...peerOptions,
} as const;

export function parseTop(args: readonly string[]): TopCommand {
  const { values, positionals: given } = parseOptions(args, options);
  const [target = ''] = positionals(given, ['ADDRESS or URL']);
  const interval = seconds('--interval', values.interval);
  if (interval < 100) throw new UsageError(`--interval must be 0.1 or more, not '${values.interval}'`);
  return {
    name: 'top',
    from: /^https?:/.test(target) ? { url: pageUrl(target) } : { address: address('ADDRESS', target) },
    path: urlPath('--path', values.path),
    interval,
    once: values.once,
    timeout: seconds('--timeout', values.timeout),
    peer: peerOf(values),
  };
}

function pageUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`URL must be such as http://127.0.0.1:8080, not '${text}'`);
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = PAGE;
  url.search = '?json';
  return url;
}
