/** `doctor`: what was typed, as a value. */
import { scriptHelp, scriptLocation, scriptOptions } from './opcache.ts';
import { parseOptions, positionals } from './options.ts';
import { type Peer, peerHelp, peerOf, peerOptions } from './peer.ts';
import { address, integer, seconds } from './values.ts';

export interface DoctorCommand {
  readonly name: 'doctor';
  readonly address: string;
  /** php-fpm.conf, or the file of one pool; null: not read. */
  readonly fpmConf: string | null;
  readonly nginxConf: string | null;
  /** Of ours, for each server. */
  readonly connections: number;
  /** Node processes, each with a pool of its own. */
  readonly processes: number;
  readonly json: boolean;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
  readonly dir: string | null;
  readonly fpmDir: string | null;
}

export const doctorHelp: string = `Usage: fastcgi-pool doctor ADDRESS [options]

Looks at a running PHP-FPM and its configuration, and says what does not go
with what the pool will do: what is wrong, why it matters, the line to change.
A script of a few lines is run there, from a file outside of any document root
that is removed at once. Exits with 0 where nothing is found, else with 1.

ADDRESS is unix:/path/to.sock, HOST:PORT, tcp://HOST:PORT or [::1]:9000.

  --fpm-conf FILE    php-fpm.conf, or the file of one pool, read as well
  --nginx-conf FILE  its upstream and fastcgi_ lines are read, with those of
                     the files that it includes, and ours printed
  --connections N    of a pool of ours (default 8)
  --processes N      Node.js processes, each with a pool of its own (default 1)
  --json             as JSON
${scriptHelp}  --timeout SECONDS  default 5; 0: no limit
${peerHelp}`;

const options = {
  'fpm-conf': { type: 'string' },
  'nginx-conf': { type: 'string' },
  connections: { type: 'string', default: '8' },
  processes: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '5' },
  ...scriptOptions,
  ...peerOptions,
} as const;

export function parseDoctor(args: readonly string[]): DoctorCommand {
  const { values, positionals: given } = parseOptions(args, options);
  const [target = ''] = positionals(given, ['ADDRESS']);
  return {
    name: 'doctor',
    address: address('ADDRESS', target),
    fpmConf: values['fpm-conf'] ?? null,
    nginxConf: values['nginx-conf'] ?? null,
    connections: integer('--connections', values.connections, 1, 10_000),
    processes: integer('--processes', values.processes, 1, 10_000),
    json: values.json,
    timeout: seconds('--timeout', values.timeout),
    peer: peerOf(values),
    ...scriptLocation(values),
  };
}
