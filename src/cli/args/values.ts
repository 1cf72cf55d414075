/** The types of option values. Each function takes the option's name, for the error, and the text that was given. */
import { parseAddress } from '../../connection/socket/address.ts';
import { MAX_SOCKET_PATH } from '../../socket-path.ts';
import { MAX_DELAY } from '../delay.ts';
import type { ListenAddress } from '../serve/http/listen-address.ts';
import { UsageError } from '../usage-error.ts';

export function integer(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}, not '${text}'`);
}

/** Seconds, fractions allowed; gives milliseconds. */
export function seconds(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN;
  // 0 is no limit at all, which nobody means by a thousandth of a millisecond
  if (value === 0 && Number(text) > 0) return 1;
  if (value <= MAX_DELAY) return value;
  if (value > MAX_DELAY) {
    throw new UsageError(`${option} must be ${Math.floor(MAX_DELAY / 1000)} seconds at most, not '${text}'`);
  }
  throw new UsageError(`${option} must be a number of seconds, such as 10 or 0.5, not '${text}'`);
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `1048576`, `512k`, `64m` or `2g`; gives bytes. `orElse`: what else it may be, for the error. */
export function bytes(option: string, text: string, orElse = ''): number {
  const [, digits, unit = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const value = Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN);
  if (digits !== undefined && Number.isSafeInteger(value)) return value;
  throw new UsageError(
    `${option} must be a number of bytes, such as 1048576, 512k, 64m or 2g,${orElse} not '${text}'`,
  );
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`; an IPv6 address stands in brackets. Port 0 is any free one. */
function hostPort(option: string, text: string): HostPort {
  const [, ipv6, name, port = ''] =
    /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]*]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new UsageError(
    `${option} must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path, not '${text}'`,
  );
}

/** `HOST:PORT` with or without `http://` or `https://` in front, or `unix:/path`. `hasTls`: there is a certificate. */
export function listenAddress(option: string, text: string, hasTls: boolean): ListenAddress {
  const [, path] = /^unix:(\/[^\0]*[^\0/])$/.exec(text) ?? [];
  if (path === undefined) {
    const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/.exec(text) ?? [];
    const place = hostPort(option, scheme === undefined ? text : rest);
    if (scheme === 'https' && !hasTls) throw new UsageError(`${option} ${text} needs --tls-cert or --tls`);
    return { ...place, tls: scheme === undefined ? hasTls : scheme === 'https' };
  }
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return { path };
  throw new UsageError(`${option}: the path of the socket is too long: '${text}'`);
}

/** A FastCGI address, checked but left as it is. */
export function address(option: string, text: string): string {
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    throw error instanceof Error ? new UsageError(`${option}: ${error.message}`) : error;
  }
}

export type Pair = readonly [name: string, value: string];

/** `NAME=VALUE`; the value may be empty and may contain `=`. */
export function nameValue(option: string, text: string): Pair {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`${option} must be NAME=VALUE, not '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `Name: value`, as in HTTP. */
export function header(option: string, text: string): Pair {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9a-z-]+):[ \t]*([^\r\n\0]*)$/i.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(`${option} must be 'Name: value', not '${text}'`);
  }
  return [name, value.trimEnd()];
}

/** A path in the URL, as SCRIPT_NAME: it begins with a slash and has no query. */
export function urlPath(option: string, text: string): string {
  if (/^\/[^?#\0]*$/.test(text)) return text;
  throw new UsageError(`${option} must be a path that begins with '/', such as /index.php, not '${text}'`);
}
