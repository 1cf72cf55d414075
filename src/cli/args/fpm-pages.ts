/** `ping` and `status`, the two pages PHP-FPM answers by itself: what was typed, as values. */
import { parseOptions, positionals } from './options.ts';
import { type Peer, peerHelp, peerOf, peerOptions } from './peer.ts';
import { address, seconds, urlPath } from './values.ts';

export interface PingCommand {
  readonly name: 'ping';
  readonly address: string;
  /** `ping.path` of the pool. */
  readonly path: string;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
}

export interface StatusCommand {
  readonly name: 'status';
  readonly address: string;
  /** `pm.status_path` of the pool. */
  readonly path: string;
  readonly json: boolean;
  /** Each process as well. */
  readonly full: boolean;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
}

export const pingHelp: string = `Usage: fastcgi-pool ping ADDRESS [options]

Asks PHP-FPM's ping page; exits with 0 where a worker answers.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.

  --path PATH        the pool's ping.path (default /ping)
  --timeout SECONDS  default 5; 0: no limit
${peerHelp}`;

export const statusHelp: string = `Usage: fastcgi-pool status ADDRESS [options]

Shows PHP-FPM's status page as a table.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.

  --path PATH        the pool's pm.status_path (default /status)
  --full             each process as well
  --json             the JSON of PHP-FPM, as it comes
  --timeout SECONDS  default 5; 0: no limit
${peerHelp}`;

const path = { type: 'string' } as const;
const timeout = { type: 'string', default: '5' } as const;
const flag = { type: 'boolean', default: false } as const;

export function parsePing(args: readonly string[]): PingCommand {
  const parsed = parseOptions(args, { path, timeout, ...peerOptions });
  const [target = ''] = positionals(parsed.positionals, ['ADDRESS']);
  return {
    name: 'ping',
    address: address('ADDRESS', target),
    path: urlPath('--path', parsed.values.path ?? '/ping'),
    timeout: seconds('--timeout', parsed.values.timeout),
    peer: peerOf(parsed.values),
  };
}

export function parseStatus(args: readonly string[]): StatusCommand {
  const parsed = parseOptions(args, { path, timeout, full: flag, json: flag, ...peerOptions });
  const [target = ''] = positionals(parsed.positionals, ['ADDRESS']);
  return {
    name: 'status',
    address: address('ADDRESS', target),
    path: urlPath('--path', parsed.values.path ?? '/status'),
    json: parsed.values.json,
    full: parsed.values.full,
    timeout: seconds('--timeout', parsed.values.timeout),
    peer: peerOf(parsed.values),
  };
}
