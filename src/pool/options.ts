/** The options of a Pool: one table of names, defaults and checks, from which the README's is made. */
import { checkIsOptions, kindOf, unknownName } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import type { RetryPolicy } from './dispatcher.ts';

/** Durations in milliseconds, 0 disables; sizes in bytes. */
export interface PoolOptions {
  /** Sockets at most, 1 or more: as many as php-fpm has workers is the right number, more do little harm. Default: 8. */
  readonly connections?: number | undefined;
  /** Idle sockets kept at most; each holds a worker. 0: FCGI_KEEP_CONN is never set. Default: `connections`. */
  readonly keepalive?: number | undefined;
  /** Requests sent on one socket at most, less up to a tenth at random; the last goes without FCGI_KEEP_CONN. 0: no limit. Default: 1000. */
  readonly keepaliveRequests?: number | undefined;
  /**
   * The lease: the age at which a socket is not used again, so that its worker turns to whoever waits in the backlog, be it
   * another process. `'auto'`: 35 ms from when it has its worker, less half of what it waited for that, and up to a second where connecting
   * takes long; where several are due one goes each 30 ms (half of that time), or each in its own time where pages take longer than that,
   * or where it has waited for half a lease. Over tcp none is kept while responses stand still on kept ones. Default: 'auto'.
   */
  readonly keepaliveTime?: number | 'auto' | undefined;
  /**
   * How long a socket may be idle; it costs a worker meanwhile. `'auto'`: until its age is 30 times what connecting takes, 50 ms at the
   * least and 2 s at the most (in constant use its idleness counts, not its age); while other processes need its worker, for as long as
   * connecting takes, 2 ms at the least. Default: 'auto'.
   */
  readonly keepaliveTimeout?: number | 'auto' | undefined;
  /** Requests that may wait for a socket; more fail with FCGI_ERR_QUEUE_FULL. Default: 1024. */
  readonly queueSize?: number | undefined;
  /** How long a request may wait for a socket, then FCGI_ERR_QUEUE_TIMEOUT. Default: 30,000. */
  readonly queueTimeout?: number | undefined;
  /** How long a request may take in all, from dispatch() to its end, then FCGI_ERR_TIMEOUT. Default: 0, no limit. */
  readonly timeout?: number | undefined;
  /** How long a request may take to get connected, further tries included where php-fpm refuses, its socket is gone, or its host is for the moment. Default: 5000. */
  readonly connectTimeout?: number | undefined;
  /** From the end of sending to the head of the response, then FCGI_ERR_HEADERS_TIMEOUT. Default: 60,000. */
  readonly headersTimeout?: number | undefined;
  /**
   * Silence between two pieces of the body, then FCGI_ERR_BODY_TIMEOUT. Default: 60,000. It does not run while the
   * reader has paused (a slow pipe, `controller.pause()`), until the pool is closed; but it does where nobody reads.
   */
  readonly bodyTimeout?: number | undefined;
  /** The largest head of a response, then FCGI_ERR_HEAD_TOO_LARGE. Default: 65,536. */
  readonly maxHeaderSize?: number | undefined;
  /**
   * Which failed requests are sent again. `'unexecuted'`: those that PHP has provably not run, whatever their
   * method. `'idempotent'`: also those that may have run, where running twice does no harm. `'always'`: also those
   * where it may. `'never'`: none. Where a response byte was seen, none ever is. Default: 'unexecuted'.
   */
  readonly retry?: RetryPolicy | undefined;
  /** Fresh connections that one request may fail on; a failure on a kept one costs none. Default: 5. */
  readonly tries?: number | undefined;
  /** Bytes of a body given as a stream that are held to be sent again. Default: 1,048,576. A longer one goes out on a fresh connection. */
  readonly replayBuffer?: number | undefined;
  /**
   * A TCP proxy stands in between, so how a connection ends proves next to nothing once a request was sent on it. Default: false. Once the server
   * has shown that it is PHP-FPM, it is asked FCGI_GET_VALUES on each new connection, and the request is sent when a worker has answered.
   * Before that the request is sent unasked, and is `'unknown'` where it is lost, as where the proxy has no server behind it. A kept
   * connection is used for those requests only that `retry` lets be sent again even if they have run: with `'idempotent'`, GET and its like.
   */
  readonly proxied?: boolean | undefined;
  /**
   * How long the empty STDIN record that ends a request is held back where the server is PHP-FPM: it goes out in front
   * of the next request, or after this silence; once the server has shown that it is PHP-FPM, after a longer one: until 5 s before
   * `headersTimeout`, but 5 s at the least and 55 s at the most. PHP-FPM never waits for it, and without it a reset proves that the request was
   * not read. To all other servers it is sent at once. 0: always. Default: 50.
   */
  readonly terminatorDelay?: number | undefined;
  /**
   * What the server is. PHP-FPM reads a request in a way from which it follows, where a connection fails, that it was
   * not run; others do not. `'auto'`: nothing is deduced before the server has shown that it is PHP-FPM. `'php-fpm'`: it
   * is, from the start. `'generic'`: it is not. Default: 'auto'.
   */
  readonly backend?: 'auto' | 'php-fpm' | 'generic' | undefined;
  /**
   * Bytes of a POST body that PHP is sure to read before its script starts: 0 where php.ini says
   * `enable_post_data_reading = 0`, `post_max_size` where that is less. More than 16,384 are never counted on. Default: 16,384, and a POST
   * that is lost as if nobody had read it is sent again with more care, and is `'unknown'` where it is not sent again, as php.ini may say
   * otherwise.
   */
  readonly postDataReading?: number | undefined;
}

/** The options with their defaults filled in. */
type Resolved = { readonly [K in keyof PoolOptions]-?: Exclude<PoolOptions[K], undefined> };

export interface PoolSettings extends Resolved {
  /** `postDataReading` was given: else php.ini may say otherwise. */
  readonly knowsPostDataReading: boolean;
  /** While php-fpm has no more workers, requests wait for a kept connection, or for another server that has room. */
  readonly waitsForKept: boolean;
}

export interface OptionRule<T = number | string | boolean> {
  readonly unit: '' | 'ms' | 'bytes';
  readonly default: T;
  /** For the error: what the value must be. */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

export const count = (fallback: number, least: number): OptionRule<number> => ({
  unit: '',
  default: fallback,
  expected: `a whole number from ${least}`,
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= least,
});

const amount = (unit: 'ms' | 'bytes', fallback: number): OptionRule<number> => ({
  unit,
  default: fallback,
  expected: `a number of ${unit} from 0`,
  accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
});

const amountOrAuto = (unit: 'ms'): OptionRule<number | 'auto'> => ({
  unit,
  default: 'auto',
  expected: `a number of ${unit} from 0, or 'auto'`,
  accepts: (value) => value === 'auto' || amount(unit, 0).accepts(value),
});

export const choice = <T extends string>(...values: [T, ...T[]]): OptionRule<T> => ({
  unit: '',
  default: values[0],
  expected: `one of ${values.join(', ')}`,
  accepts: (value) => values.some((one) => one === value),
});

export const flag: OptionRule<boolean> = {
  unit: '',
  default: false,
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

/** In the README's order. `keepalive` has the default of `connections`. */
export const optionRules: { readonly [K in keyof Resolved]: OptionRule<Resolved[K]> } = {
  connections: count(8, 1),
  keepalive: count(8, 0),
  keepaliveRequests: count(1000, 0),
  keepaliveTime: amountOrAuto('ms'),
  keepaliveTimeout: amountOrAuto('ms'),
  queueSize: count(1024, 0),
  queueTimeout: amount('ms', 30_000),
  timeout: amount('ms', 0),
  connectTimeout: amount('ms', 5_000),
  headersTimeout: amount('ms', 60_000),
  bodyTimeout: amount('ms', 60_000),
  maxHeaderSize: amount('bytes', 65_536),
  retry: choice('unexecuted', 'never', 'idempotent', 'always'),
  tries: count(5, 1),
  replayBuffer: amount('bytes', 1_048_576),
  proxied: flag,
  terminatorDelay: amount('ms', 50),
  backend: choice('auto', 'php-fpm', 'generic'),
  postDataReading: amount('bytes', 16_384),
};

/** Throws FCGI_ERR_INVALID_ARG, naming the option that is unknown or has a wrong value. `others`: names that may be meant besides. */
export function resolveOptions(
  options: PoolOptions,
  whose = 'a pool',
  others: readonly string[] = [],
): PoolSettings {
  checkIsOptions('options', options);
  for (const [name, value] of Object.entries(options)) {
    const rule: OptionRule | undefined = Object.hasOwn(optionRules, name)
      ? optionRules[name as keyof Resolved]
      : undefined;
    if (rule === undefined) throw unknownName(name, [...Object.keys(optionRules), ...others], whose);
    checkOption(name, value, rule);
  }
  const connections = options.connections ?? optionRules.connections.default;
  const keepaliveRequests = options.keepaliveRequests ?? optionRules.keepaliveRequests.default;
  const backend = options.backend ?? optionRules.backend.default;
  return {
    connections,
    keepalive: Math.min(options.keepalive ?? connections, connections),
    keepaliveRequests: keepaliveRequests === 0 ? Number.MAX_SAFE_INTEGER : keepaliveRequests,
    keepaliveTime: options.keepaliveTime ?? optionRules.keepaliveTime.default,
    keepaliveTimeout: options.keepaliveTimeout ?? optionRules.keepaliveTimeout.default,
    queueSize: options.queueSize ?? optionRules.queueSize.default,
    queueTimeout: options.queueTimeout ?? optionRules.queueTimeout.default,
    timeout: options.timeout ?? optionRules.timeout.default,
    connectTimeout: options.connectTimeout ?? optionRules.connectTimeout.default,
    headersTimeout: options.headersTimeout ?? optionRules.headersTimeout.default,
    bodyTimeout: options.bodyTimeout ?? optionRules.bodyTimeout.default,
    maxHeaderSize: options.maxHeaderSize ?? optionRules.maxHeaderSize.default,
    retry: options.retry ?? optionRules.retry.default,
    tries: options.tries ?? optionRules.tries.default,
    replayBuffer: options.replayBuffer ?? optionRules.replayBuffer.default,
    proxied: options.proxied ?? optionRules.proxied.default,
    terminatorDelay:
      options.terminatorDelay ?? (backend === 'generic' ? 0 : optionRules.terminatorDelay.default),
    backend,
    postDataReading: options.postDataReading ?? optionRules.postDataReading.default,
    knowsPostDataReading: options.postDataReading !== undefined,
    waitsForKept: options.keepalive !== 0,
  };
}

/** Throws FCGI_ERR_INVALID_ARG where `value` is there and the rule does not accept it. */
export function checkOption(name: string, value: unknown, rule: OptionRule): void {
  if (value === undefined || rule.accepts(value)) return;
  const message = `${name} must be ${rule.expected}, not ${shown(value)}`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', name, message);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' ? kindOf(value) : String(value);
}
