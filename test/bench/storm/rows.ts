/** The storms: what is sent, on which php-fpm, in which weather, and what we promise of it. */
import type { PoolOptions } from '../../../src/pool/options.ts';
import type { FpmOptions } from '../../fpm/support/index.ts';
import type { ServerName } from '../../interop/support/servers.ts';
import { SHAPES, type Shape } from './messages.ts';
import type { Script } from './scripts.ts';
import { kills, reloads, restarts, type Weather } from './weather.ts';

export interface Promised {
  /**
   * `begunPerBlow`: those only that PHP had begun, and that say so; at most so many a blow of the weather. 'unknown': of what
   * nobody can know; but none runs twice, and none that is said not to have run did.
   */
  readonly failures: 'none' | 'unknown' | { readonly begunPerBlow: number };
  /** What becomes of the special ones: each runs once and is answered, or runs once and fails as 'unknown'. */
  readonly specials?: 'answered' | 'failed';
  /** ms, of the ordinary ones. */
  readonly p99?: number;
}

export interface Row {
  readonly name: string;
  /** Counted in `--requests`, and not by time. */
  readonly countable: boolean;
  readonly shapes: readonly Shape[];
  /** The script of every so many requests is this one; the others run echo.php. */
  readonly special?: { readonly script: Script; readonly every: number; readonly shape?: Shape };
  readonly fpm: FpmOptions;
  /** ms that echo.php takes. */
  readonly work: number;
  /** Requests at once; connections to php-fpm; as many workers unless `fpm` says otherwise. */
  readonly clients: number;
  readonly connections: number;
  /** Requests a second, whatever is still unanswered; without it each client waits for its answer. */
  readonly rate?: number;
  readonly weather?: Weather;
  readonly pool?: PoolOptions;
  readonly proxied?: boolean;
  /** A proxy of which the pool has not been told. */
  readonly proxy?: 'HAProxy' | 'socat';
  /** The network becomes slow, and quick again. */
  readonly slows?: boolean;
  /** PHP can write no temporary file. */
  readonly diskFull?: boolean;
  /** This one, and no PHP-FPM: see other-server.ts. */
  readonly server?: ServerName;
  readonly promised: Promised;
  /** It lasts so long at least: a share of 1 % must be more than one request. */
  readonly leastSeconds?: number;
  /** Runs in a quick storm, too. */
  readonly quick: boolean;
}

const TRANSPORTS = ['unix', 'tcp'] as const;
const CLIENTS = 8;
const nothingFails: Promised = { failures: 'none' };

const usual = {
  countable: false,
  // No PUT and no upload: PHP may start their script before it has read them, so that a reset proves nothing.
  shapes: ['form', 'json', 'get'] as readonly Shape[],
  work: 0,
  clients: CLIENTS,
  connections: CLIENTS,
  promised: nothingFails,
  quick: true,
};

const dies = { script: 'die.php' as const, every: 20 };
const diesOnce: Promised = { failures: 'unknown', specials: 'failed' };

/** Where PHP-FPM's own signs do not hold, and nobody has said so. */
const elsewhere: readonly Row[] = [
  ...(['HAProxy', 'socat'] as const).map((proxy) => ({
    ...usual,
    name: `undeclared proxy ${proxy}`,
    fpm: { transport: 'unix' as const, maxRequests: 50 },
    proxy,
    special: dies,
    promised: diesOnce,
  })),
  {
    ...usual,
    name: 'network slows down',
    fpm: { transport: 'tcp', maxRequests: 50 },
    slows: true,
    special: dies,
    promised: diesOnce,
  },
  ...TRANSPORTS.map((transport) => ({
    ...usual,
    name: `full disk ${transport}`,
    fpm: { transport },
    diskFull: true,
    special: { ...dies, shape: 'large' as const },
    promised: { failures: 'none' as const, specials: 'failed' as const },
  })),
  ...(['C libfcgi', 'Perl FCGI'] as const).map((server) => ({
    ...usual,
    name: `other server ${server}`,
    fpm: {},
    server,
    special: dies,
    promised: { failures: 'none' as const, specials: 'failed' as const },
  })),
];

const ofPhpFpm: readonly Row[] = TRANSPORTS.flatMap((transport) => [
  ...[1, 2, 5, 50].flatMap((maxRequests) =>
    SHAPES.map((shape) => ({
      ...usual,
      name: `recycle ${maxRequests} ${shape} ${transport}`,
      countable: true,
      shapes: [shape],
      fpm: { transport, maxRequests },
      quick: maxRequests === 5 || (maxRequests === 1 && shape === 'form'),
    })),
  ),
  {
    ...usual,
    name: `crowd ${transport}`,
    fpm: { transport, maxRequests: 50, maxChildren: 2 },
    connections: 2 * CLIENTS,
    clients: 2 * CLIENTS,
  },
  {
    ...usual,
    name: `reload ${transport}`,
    shapes: ['form', 'json', 'get', 'form', 'json', 'get', 'put', 'upload'],
    fpm: { transport, processControlTimeout: 5 },
    weather: reloads,
  },
  {
    // SIGTERM follows SIGQUIT at once, then: workers die in the middle of a script.
    ...usual,
    name: `reload process_control_timeout=0 ${transport}`,
    fpm: { transport, processControlTimeout: 0 },
    weather: reloads,
    promised: { failures: { begunPerBlow: CLIENTS } },
  },
  {
    ...usual,
    name: `restart SIGQUIT ${transport}`,
    // Half of them wait to be accepted.
    shapes: [...SHAPES, 'large'],
    fpm: { transport, processControlTimeout: 5, maxChildren: CLIENTS / 2 },
    weather: restarts('SIGQUIT'),
  },
  {
    ...usual,
    name: `restart SIGTERM ${transport}`,
    fpm: { transport },
    work: 2,
    weather: restarts('SIGTERM'),
    promised: { failures: { begunPerBlow: CLIENTS } },
  },
  {
    ...usual,
    name: `kill ${transport}`,
    fpm: { transport },
    work: 2,
    weather: kills,
    promised: { failures: { begunPerBlow: 1 } },
  },
  {
    ...usual,
    name: `suicide ${transport}`,
    fpm: { transport },
    special: { script: 'die.php' as const, every: 50 },
    promised: { failures: 'none' as const, specials: 'failed' as const },
  },
  {
    ...usual,
    name: `proxied ${transport}`,
    fpm: { transport, maxRequests: 5 },
    proxied: true,
  },
  {
    ...usual,
    name: `proxied retry=idempotent ${transport}`,
    shapes: ['get', 'form'],
    fpm: { transport, maxRequests: 5 },
    proxied: true,
    pool: { retry: 'idempotent' as const },
  },
  {
    ...usual,
    name: `tail ${transport}`,
    shapes: ['get'],
    fpm: { transport },
    special: { script: 'tail.php' as const, every: 10 },
    rate: 20,
    leastSeconds: 20,
    quick: transport === 'unix',
    promised: { failures: 'none' as const, specials: 'answered' as const, p99: 100 },
  },
]);

/** In the order of the table. Names are what `--only` looks at. */
export const rows: readonly Row[] = [...ofPhpFpm, ...elsewhere];
