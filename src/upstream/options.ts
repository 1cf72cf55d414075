/** The options of an Upstream and of each of its servers: names, defaults and checks. */
import { checkIsOptions, isOptions, unknownName } from '../arguments.ts';
import type { Address } from '../connection/socket/address.ts';
import { ArgumentError } from '../errors.ts';
import type { DispatchRequest } from '../pool/dispatcher.ts';
import {
  checkOption,
  choice,
  count,
  flag,
  type OptionRule,
  type PoolOptions,
  type PoolSettings,
  resolveOptions,
} from '../pool/options.ts';
import type { Params } from '../protocol/params.ts';
import type { Balance } from './balance/balance.ts';
import type { Subset } from './balance/subset.ts';

/** nginx's parameters of those names. */
export interface ServerOptions {
  /** Its share of the requests. Default 1. */
  readonly weight?: number | undefined;
  /** Asked only where the others cannot be. Default false. */
  readonly backup?: boolean | undefined;
  /** Failures within `failTimeout` after which it is left alone. Default 1; 0: never. */
  readonly maxFails?: number | undefined;
  /**
   * ms. So long it is left alone the first time; twice as long the next, and up to six times, while it does not come back.
   * Default 10,000.
   */
  readonly failTimeout?: number | undefined;
  /** Requests at once at most, where that is less than `connections`. Default 0: no limit of its own. */
  readonly maxConns?: number | undefined;
  /** ms over which its share grows from a tenth to the whole, once it is back from having been left alone. Default 0. */
  readonly slowStart?: number | undefined;
  /** Not asked at all. Default false. */
  readonly down?: boolean | undefined;
}

/** A server, as nginx's `server` directive has it. */
export interface UpstreamServer extends ServerOptions {
  readonly address: Address;
}

/** Servers that DNS lists under one service name (RFC 2782), `_php-fpm._tcp.example.org`; looked up whatever `resolve` says. */
export interface UpstreamService extends ServerOptions {
  readonly srv: string;
}

/** Which servers a name stands for; rejects where it cannot be said now, and the last good answer is kept. */
export type Resolve = (
  name: string,
  port: number,
) => readonly (Address | UpstreamServer)[] | Promise<readonly (Address | UpstreamServer)[]>;

/** Asks a server that is left alone whether it is back, so that no client's request has to find out. */
export interface HealthCheck {
  /** PHP-FPM's `ping.path`, or the path of a status page. Default: '/ping'. */
  readonly path?: string | undefined;
  /** In place of `path`: the params of any script. */
  readonly params?: Params | undefined;
  /** ms between two of them. Default: 1000. */
  readonly interval?: number | undefined;
  /** ms in which an answer must be there. Default: 1000. */
  readonly timeout?: number | undefined;
}

export interface UpstreamOptions extends PoolOptions {
  /**
   * Which server gets a request. `'least-conn'`: the one with the fewest requests for the workers that have been found there; among
   * equals in turn. `'round-robin'`: in turn. `'random-two'`: the less loaded of two at random. `'hash'`: the same key, the same
   * server. All by `weight`. Default: 'least-conn'.
   */
  readonly balance?: Balance | undefined;
  /** With `'hash'`: what a request's server hangs on; '' stands for any server. Default: the client's address, REMOTE_ADDR. */
  readonly hashKey?: ((request: DispatchRequest) => string) | undefined;
  /**
   * true: host names are looked up with all their addresses, each of which is a server, again every `resolveInterval` and after a failed
   * connect. A function: what it returns for a name and a port are the servers, each with its port (`['10.0.0.1:9000']`); what it throws, or
   * no answer within `connectTimeout`, is told to requests that know no server yet. Default: false, and Node looks a name up for each new connection.
   */
  readonly resolve?: boolean | Resolve | undefined;
  /**
   * ms between two look-ups of the same name. Default: 10,000. Nothing is looked up while nothing is to do: the first
   * requests behind such a time wait for a new answer, 250 ms at most. The time to live of a DNS record is not looked at: neither the system's
   * resolver nor Node's look-up of a service tells it. So this is how long a change may go unseen, and a cache in between may add the record's own.
   */
  readonly resolveInterval?: number | undefined;
  /** DNS servers (`'10.0.0.2'`, `'127.0.0.1:5353'`) that are asked in place of the system's resolver. Default: none. */
  readonly nameservers?: readonly string[] | undefined;
  /** ms from the first failure of a request on after which it is not sent to one more server where it may have run. Default: 0, no limit but `tries`. */
  readonly retryTimeout?: number | undefined;
  /**
   * Of many servers this process uses a part only: `size` of them at the least. `gateway` is a number of its own, from 0 on: by it the
   * servers are dealt out, so that each is known to as many processes as any other. Default: none, it uses all. docs/scale.md has the arithmetic.
   */
  readonly subset?: Subset | undefined;
  /**
   * Active checks of servers that are left alone: such a one gets no request before it has passed. They go on while nobody asks for
   * anything, and keep no process alive. Default: none; it gets one request after `failTimeout`, if it is PHP-FPM once it has answered FCGI_GET_VALUES.
   */
  readonly healthCheck?: HealthCheck | undefined;
}

export interface CheckSettings {
  readonly params: Params;
  readonly interval: number;
  readonly timeout: number;
}

/** All but what a pool has. */
export interface UpstreamSettings {
  readonly balance: Balance;
  readonly hashKey: (request: DispatchRequest) => string;
  readonly resolve: boolean | Resolve;
  readonly resolveInterval: number;
  readonly nameservers: readonly string[];
  readonly retryTimeout: number;
  readonly subset: Subset | null;
  readonly healthCheck: CheckSettings | null;
}

type Rules = Readonly<Record<string, OptionRule>>;

export type ServerSettings = { readonly [K in keyof ServerOptions]-?: Exclude<ServerOptions[K], undefined> };

const ms = (fallback: number, least = 0): OptionRule<number> => ({ ...count(fallback, least), unit: 'ms' });

export const serverRules: { readonly [K in keyof ServerSettings]: OptionRule<ServerSettings[K]> } = {
  weight: count(1, 1),
  backup: flag,
  maxFails: count(1, 0),
  failTimeout: ms(10_000),
  maxConns: count(0, 0),
  slowStart: ms(0),
  down: flag,
};

const balanceRule: OptionRule<Balance> = choice('least-conn', 'round-robin', 'random-two', 'hash');
const a = (expected: string, accepts: (value: unknown) => boolean): OptionRule => ({
  unit: '',
  default: '',
  expected,
  accepts,
});
const isFunction = (value: unknown): boolean => typeof value === 'function';

const upstreamRules = {
  balance: balanceRule,
  hashKey: a('a function', isFunction),
  resolve: a('true, false or a function', (value) => typeof value === 'boolean' || isFunction(value)),
  resolveInterval: ms(10_000, 1),
  nameservers: a('a list of addresses', (value) => {
    return Array.isArray(value) && value.every((one) => typeof one === 'string');
  }),
  retryTimeout: ms(0),
  subset: a('an object', isOptions),
  healthCheck: a('an object', isOptions),
} as const;

const subsetRules = { size: count(20, 1), gateway: count(0, 0) } as const;

const checkRules = {
  path: a('a path that begins with /', (value) => typeof value === 'string' && value.startsWith('/')),
  params: a('an object', isOptions),
  interval: ms(1000, 1),
  timeout: ms(1000, 1),
} as const;

/** Throws FCGI_ERR_INVALID_ARG that names the option. */
export function resolveServerOptions(options: ServerOptions): ServerSettings {
  checkAll(options, serverRules, 'a server', ['address', 'srv']);
  return {
    weight: options.weight ?? serverRules.weight.default,
    backup: options.backup ?? serverRules.backup.default,
    maxFails: options.maxFails ?? serverRules.maxFails.default,
    failTimeout: options.failTimeout ?? serverRules.failTimeout.default,
    maxConns: options.maxConns ?? serverRules.maxConns.default,
    slowStart: options.slowStart ?? serverRules.slowStart.default,
    down: options.down ?? serverRules.down.default,
  };
}

/** Throws FCGI_ERR_INVALID_ARG that names the option. */
export function resolveUpstreamOptions(options: UpstreamOptions): [UpstreamSettings, PoolSettings] {
  checkIsOptions('options', options);
  const {
    balance,
    hashKey,
    resolve,
    resolveInterval,
    nameservers,
    retryTimeout,
    subset,
    healthCheck,
    ...rest
  } = options;
  for (const name of Object.keys(rest)) if (Object.hasOwn(serverRules, name)) throw ofEachServer(name);
  const pool = resolveOptions(rest, 'an upstream', Object.keys(upstreamRules));
  const own = { balance, hashKey, resolve, resolveInterval, nameservers, retryTimeout, subset, healthCheck };
  checkAll(own, upstreamRules, 'an upstream');
  if (subset !== undefined) checkSubset(subset);
  if (healthCheck !== undefined) checkAll(healthCheck, checkRules, 'healthCheck');
  return [
    {
      balance: balance ?? 'least-conn',
      hashKey: hashKey ?? clientAddress,
      resolve: resolve ?? false,
      resolveInterval: resolveInterval ?? upstreamRules.resolveInterval.default,
      nameservers: nameservers ?? [],
      retryTimeout: retryTimeout ?? 0,
      subset: subset ?? null,
      healthCheck:
        healthCheck === undefined
          ? null
          : {
              params: healthCheck.params ?? pingParams(healthCheck.path ?? '/ping'),
              interval: healthCheck.interval ?? checkRules.interval.default,
              timeout: healthCheck.timeout ?? checkRules.timeout.default,
            },
    },
    pool,
  ];
}

function ofEachServer(name: string): ArgumentError {
  const message = `${name} is an option of each server, not of an upstream: { address, ${name} }`;
  return new ArgumentError('FCGI_ERR_INVALID_ARG', name, message);
}

function checkSubset(subset: Subset): void {
  checkAll(subset, subsetRules, 'subset');
  // Neither has a default: a gateway that does not say who it is would share its part with all others that do not.
  for (const name of ['size', 'gateway'] as const) {
    if (subset[name] !== undefined) continue;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', name, `subset must have a ${name}`);
  }
}

/** `others`: names that may be meant besides. */
function checkAll(options: object, rules: Rules, whose: string, others: readonly string[] = []): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw unknownName(name, [...Object.keys(rules), ...others], whose);
    checkOption(name, value, rule);
  }
}

function clientAddress({ params }: DispatchRequest): string {
  return String(params['REMOTE_ADDR'] ?? '');
}

function pingParams(path: string): Params {
  return {
    SCRIPT_NAME: path,
    SCRIPT_FILENAME: path,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: path,
    QUERY_STRING: '',
  };
}

/** One server of several gets this part of connectTimeout, but so many ms at the least: the rest is for the others. */
const PART = 5;
const LEAST_CONNECT_TIMEOUT = 250;

/** Of each server's own pool. What is asked by its key would go to another server while it waits. */
export function settingsOfEach(pool: PoolSettings, balance: Balance): PoolSettings {
  const { connectTimeout } = pool;
  const part = Math.max(connectTimeout / PART, LEAST_CONNECT_TIMEOUT);
  const waitsForKept = pool.waitsForKept && balance !== 'hash';
  return { ...pool, connectTimeout: Math.min(connectTimeout, part), waitsForKept };
}
