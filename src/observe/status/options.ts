/** The options of the status page, and what is wrong with them. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { checkNames, isOptions } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';

export interface StatusOptions {
  /**
   * Who may see the page. Default: who comes from this machine, over a loopback address, not through a proxy, and names it
   * `localhost`, `127.0.0.1` or `[::1]` (or one of `hosts`) in the Host header. A function takes the place of all that: check who asks.
   */
  readonly allow?: ((request: IncomingMessage | Http2ServerRequest) => boolean) | undefined;
  /** Further names of this machine, without port, which the Host header may have. Default none. */
  readonly hosts?: readonly string[] | undefined;
  /**
   * `pm.status_path`: php-fpm's own status is shown as well. It takes a worker for a moment, so it is asked for only while one
   * is free, every 2 s at the most, and the page never waits for it. Default: not asked for.
   */
  readonly fpmStatus?: string | undefined;
}

const OPTIONS: Readonly<Record<keyof StatusOptions, true>> = { allow: true, hosts: true, fpmStatus: true };

/** Throws FCGI_ERR_INVALID_ARG. */
export function checkStatusOptions(fpm: unknown, options: unknown): void {
  const stats = isObject(fpm) ? fpm['stats'] : undefined;
  if (!isObject(stats) || !isObject(stats['closed']))
    throw invalid('fpm', 'fpm must be a Pool or an Upstream');
  if (!isOptions(options)) throw invalid('options', 'options must be an object');
  checkNames(options, OPTIONS, 'statusHandler()');
  const { allow, hosts, fpmStatus } = options;
  if (allow !== undefined && typeof allow !== 'function') throw invalid('allow', 'allow must be a function');
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.every(isName)))
    throw invalid('hosts', 'hosts must be an array of names, without scheme and port');
  if (fpmStatus !== undefined && !(typeof fpmStatus === 'string' && fpmStatus.startsWith('/')))
    throw invalid('fpmStatus', 'fpmStatus must be a path that begins with a slash, as `pm.status_path` is');
}

function isName(host: unknown): boolean {
  return typeof host === 'string' && /^(?:\[[0-9a-f:.]+\]|[\w.-]+)$/i.test(host);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}
