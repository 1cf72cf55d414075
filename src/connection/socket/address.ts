/** Where a FastCGI server listens. */
import { inspect } from 'node:util';
import { isOptions } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';

/**
 * `'unix:/run/php/php-fpm.sock'`, `'127.0.0.1:9000'`, `'tcp://fpm:9000'`, `'[::1]:9000'`, `{ path }` or
 * `{ host, port }` (host defaults to 127.0.0.1).
 */
export type Address = string | { readonly path: string } | { readonly host?: string; readonly port: number };

export interface UnixTarget {
  readonly transport: 'unix';
  readonly path: string;
  /** For messages. */
  readonly name: string;
}

export interface TcpTarget {
  readonly transport: 'tcp';
  readonly host: string;
  readonly port: number;
  /** For messages. */
  readonly name: string;
}

export type Target = UnixTarget | TcpTarget;

/** Bytes of sun_path on Linux, less its NUL; a longer path would be cut or refused with a bare EINVAL. */
const MAX_UNIX_PATH = 107;

/** Throws FCGI_ERR_INVALID_ARG that names what is wrong with `address`. */
export function parseAddress(address: Address): Target {
  if (typeof address === 'string') return parseText(address);
  if (typeof address !== 'object' || address === null)
    throw invalid(address, "it must be a string such as 'unix:/run/php/php-fpm.sock', or an object");
  if ('path' in address) return unix(address.path, address);
  const { host = '127.0.0.1', port } = address;
  return tcp(host, port, address);
}

function parseText(text: string): Target {
  if (text.startsWith('unix:')) return unix(text.slice('unix:'.length), text);
  const rest = text.startsWith('tcp://') ? text.slice('tcp://'.length) : text;
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(rest);
  const host = match?.[1] ?? match?.[2];
  if (!match || host === undefined) {
    throw invalid(text, 'use unix:/path/to/socket, HOST:PORT, tcp://HOST:PORT or [IPV6]:PORT');
  }
  return tcp(host, Number(match[3]), text);
}

function unix(path: unknown, given: Address): UnixTarget {
  if (typeof path !== 'string' || path === '') throw invalid(given, 'the path of the socket is missing');
  if (path.includes('\0')) throw invalid(given, 'the path contains NUL');
  const length = Buffer.byteLength(path);
  if (length > MAX_UNIX_PATH) {
    throw invalid(given, `the path has ${length} bytes, a unix socket's may have ${MAX_UNIX_PATH}`);
  }
  return { transport: 'unix', path, name: `unix:${path}` };
}

function tcp(host: unknown, port: unknown, given: Address): TcpTarget {
  if (typeof host !== 'string' || host === '') throw invalid(given, 'the host must be a string');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw invalid(given, 'the port must be a whole number from 1 to 65535');
  }
  return { transport: 'tcp', host, port, name: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` };
}

function invalid(given: unknown, why: string): ArgumentError {
  const shown = typeof given === 'string' ? given : isOptions(given) ? inspect(given) : String(given);
  return new ArgumentError('FCGI_ERR_INVALID_ARG', 'address', `not a FastCGI address: ${shown}: ${why}`);
}
