/** `opcache`: what was typed, as a value. */
import { UsageError } from '../usage-error.ts';
import { parseOptions, positionals } from './options.ts';
import { type Peer, peerHelp, peerOf, peerOptions } from './peer.ts';
import { address, seconds } from './values.ts';

export interface OpcacheCommand {
  readonly name: 'opcache';
  readonly action: 'status' | 'reset';
  readonly address: string;
  readonly json: boolean;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
  readonly dir: string | null;
  readonly fpmDir: string | null;
}

export const scriptHelp = `  --dir DIR          where the script is put for that moment (default: a folder
                     for temporary files that php-fpm can read)
  --fpm-dir DIR      DIR as PHP-FPM sees it, in another container say
`;

export const scriptOptions = { dir: { type: 'string' }, 'fpm-dir': { type: 'string' } } as const;

export const opcacheHelp: string = `Usage: fastcgi-pool opcache status|reset ADDRESS [options]

Shows or empties the opcache of a running PHP-FPM: after a deploy, say. The
cache is one for all pools of a php-fpm. A script of a few lines is run there,
from a file outside of any document root that is removed at once.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.

  --json             as JSON
${scriptHelp}  --timeout SECONDS  default 5; 0: no limit
${peerHelp}`;

const options = {
  json: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '5' },
  ...scriptOptions,
  ...peerOptions,
} as const;

export function parseOpcache(args: readonly string[]): OpcacheCommand {
  const parsed = parseOptions(args, options);
  const [action = '', target = ''] = positionals(parsed.positionals, ['status or reset', 'ADDRESS']);
  if (action !== 'status' && action !== 'reset')
    throw new UsageError(`opcache takes status or reset, not '${action}'`);
  return {
    name: 'opcache',
    action,
    address: address('ADDRESS', target),
    json: parsed.values.json,
    timeout: seconds('--timeout', parsed.values.timeout),
    peer: peerOf(parsed.values),
    ...scriptLocation(parsed.values),
  };
}

export function scriptLocation(values: {
  readonly dir?: string | undefined;
  readonly 'fpm-dir'?: string | undefined;
}): Pick<OpcacheCommand, 'dir' | 'fpmDir'> {
  const { dir = null, 'fpm-dir': fpmDir = null } = values;
  if (dir !== null && !dir.startsWith('/'))
    throw new UsageError(`--dir must be an absolute path, not '${dir}'`);
  if (fpmDir !== null && !fpmDir.startsWith('/'))
    throw new UsageError(`--fpm-dir must be an absolute path, not '${fpmDir}'`);
  if (fpmDir !== null && dir === null) throw new UsageError('--fpm-dir needs --dir');
  return { dir, fpmDir };
}
