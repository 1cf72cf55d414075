/**
 * Request headers to params (RFC 3875, 4.1.18). What a client sends becomes `HTTP_*`, CONTENT_TYPE or
 * CONTENT_LENGTH and nothing else, so no header can set PHP_VALUE or overwrite what the server says.
 */
import { ArgumentError } from '../errors.ts';
import { Names } from './names.ts';

/** Params while they are being made. */
export type ParamsDraft = Record<string, string | Uint8Array>;

/** In chars. */
const longestRemembered = 256;

const forwardable = /^[A-Za-z0-9-]+$/;
const plain = /^[\t\x20-\x7e]*$/;
const impossible = /[\0\r\n]|[^\0-\xff]/;

// `Proxy` would be taken for the proxy of the script's own requests (httpoxy). The others are about the connection
// to the client, which ends here. Names listed in `Connection` stay: else a client could take away what a trusted
// proxy in front has added, with `Connection: X-Forwarded-For`.
const neverForwarded = new Set([
  'proxy',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// of two each reader picks another: a guard that Node gives the first lets pass what an application takes the last of
const single = new Set(['HTTP_HOST', 'HTTP_AUTHORIZATION', 'CONTENT_TYPE', 'CONTENT_LENGTH']);

interface KnownHeader {
  /** What PHP calls it; '' where it is not forwarded. */
  readonly param: string;
  /** Its latest value, where that was plain ASCII: most bring the same again. */
  plain: string;
}

/** What is known of the headers of earlier requests. */
export type KnownHeaders = Names<KnownHeader>;

export function knownHeaders(): KnownHeaders {
  return new Names((header) => ({ param: paramName(header), plain: '' }));
}

function paramName(header: string): string {
  // `Remote_User` and `Remote.User` would both become HTTP_REMOTE_USER (nginx and Caddy drop such names too)
  if (!forwardable.test(header)) return '';
  const name = header.toLowerCase();
  if (neverForwarded.has(name)) return '';
  const param = name.toUpperCase().replaceAll('-', '_');
  return param === 'CONTENT_TYPE' || param === 'CONTENT_LENGTH' ? param : `HTTP_${param}`;
}

/**
 * Adds `headers` to `params`. A header that comes again is joined to the first with `, ` (Cookie: `; `).
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG for a value with NUL, CR, LF or a char that is no byte, a second Host,
 * Authorization or Content-Type, and a Content-Length that is not one number.
 */
export function addHeaders(
  params: ParamsDraft,
  headers: Iterable<readonly [string, string]>,
  known: KnownHeaders,
): void {
  // put together at the end: to look at all of it each time would take the square of how often a header comes
  let repeated: Map<string, string> | null = null;
  for (const [header, value] of headers) {
    const latest = known.get(header);
    const { param } = latest;
    if (param === '') continue;
    if (param === 'CONTENT_LENGTH' && !/^\d+$/.test(value)) {
      throw badHeader(header, 'is not a number of bytes');
    }
    const before = params[param];
    if (before === undefined) {
      params[param] = value === latest.plain ? latest.plain : newValue(header, value, latest);
    } else if (single.has(param)) {
      throw badHeader(header, 'came twice');
    } else {
      if (impossible.test(value)) throw impossibleHeader(header);
      repeated ??= new Map();
      const first =
        repeated.get(param) ?? (typeof before === 'string' ? before : Buffer.from(before).toString('latin1'));
      repeated.set(param, first + (param === 'HTTP_COOKIE' ? '; ' : ', ') + value);
    }
  }
  for (const [param, value] of repeated ?? []) params[param] = latin1(value);
}

function newValue(header: string, value: string, latest: KnownHeader): string | Uint8Array {
  const param = headerBytes(header, value);
  if (typeof param === 'string' && param.length <= longestRemembered) latest.plain = param;
  return param;
}

function headerBytes(header: string, value: string): string | Uint8Array {
  if (plain.test(value)) return value;
  if (impossible.test(value)) throw impossibleHeader(header);
  return latin1(value);
}

/** As a param: a string of ASCII as it is, one with bytes above 0x7f as these bytes (a string would go out as UTF-8). */
export function latin1(text: string): string | Uint8Array {
  return plain.test(text) ? text : Buffer.from(text, 'latin1');
}

function impossibleHeader(header: string): ArgumentError {
  return badHeader(header, 'has a NUL, a line break or a char that is not one byte');
}

export function badHeader(header: string, problem: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', 'headers', `The request header ${header} ${problem}`);
}
