/**
 * The target of an HTTP request (RFC 9112, 3.2), taken apart as nginx takes it. Strings here are bytes: each char is
 * one byte (latin1), as node:http gives a URL, so that a path that is not UTF-8 reaches PHP as it was sent.
 */

export interface RequestTarget {
  /** Path and query as they were sent, without a fragment: PHP's REQUEST_URI. */
  readonly uri: string;
  /** What stands after the first `?`, undecoded, or ''. */
  readonly query: string;
  /**
   * Begins with `/`. Percent-escapes are decoded once (`%2F` separates segments, as with nginx and in a file
   * system), then neighbouring slashes are merged and dot segments resolved: it never leaves the root, holds no
   * control byte, and ends with a slash only where a folder was asked for.
   */
  readonly path: string;
  /** `HOST[:PORT]` of a target that was a whole URL, as to a proxy; else ''. */
  readonly authority: string;
}

/** Why a target cannot be served; each is the client's fault (400). */
export interface InvalidTarget {
  readonly refused: 'not a path' | 'bad percent-escape' | 'control byte' | 'leaves the root';
}

// a URL without a host is none (RFC 9110, 4.2.1)
const wholeUrl = /^https?:\/\/([^/?#]+)/i;
// control bytes, and chars beyond 0xff: those are no bytes, and cut down to one they could turn into a line feed
const controlByte = /[^\x20-\x7e\x80-\xff]/;
const worthResolving = /%|\/\/|\/\./;

/** A whole URL from its path on; any other target as it is. */
export function withoutHost(url: string): string {
  return url.replace(wholeUrl, '');
}

/** `url` is an origin-form (`/path?query`) or a whole http URL; `*` and `host:port` are refused. */
export function parseTarget(url: string): RequestTarget | InvalidTarget {
  if (controlByte.test(url)) return { refused: 'control byte' };
  let uri = url;
  let authority = '';
  if (!url.startsWith('/')) {
    const match = wholeUrl.exec(url);
    if (!match) return { refused: 'not a path' };
    authority = match[1] ?? '';
    uri = url.slice(match[0].length);
    if (!uri.startsWith('/')) uri = `/${uri}`;
  }
  const fragment = uri.indexOf('#');
  if (fragment !== -1) uri = uri.slice(0, fragment);
  const mark = uri.indexOf('?');
  const rawPath = mark === -1 ? uri : uri.slice(0, mark);
  const query = mark === -1 ? '' : uri.slice(mark + 1);
  if (!worthResolving.test(rawPath)) return { uri, query, path: rawPath, authority };

  const decoded = decode(rawPath);
  if (decoded === null) return { refused: 'bad percent-escape' };
  // %00 cuts a file name short in C, %0a undoes a pattern that ends at a line (CVE-2019-11043)
  if (controlByte.test(decoded)) return { refused: 'control byte' };
  const path = resolve(decoded);
  if (path === null) return { refused: 'leaves the root' };
  return { uri, query, path, authority };
}

/**
 * The target of `url`, of which `bare` is the part before its first `?`, at `mark`. Null: what follows there makes it
 * another one, or none.
 */
export function withQuery(bare: RequestTarget, url: string, mark: number): RequestTarget | null {
  const query = url.slice(mark + 1);
  return controlByte.test(query) || query.includes('#') ? null : { ...bare, uri: url, query };
}

function decode(text: string): string | null {
  let bad = false;
  const decoded = text.replace(/%([0-9a-f]{2})?/gi, (_, hex: string | undefined) => {
    if (hex === undefined) bad = true;
    return String.fromCharCode(Number.parseInt(hex ?? '0', 16));
  });
  return bad ? null : decoded;
}

function resolve(path: string): string | null {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return null;
  }
  if (kept.length === 0) return '/';
  const last = segments.at(-1);
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${isFolder ? '/' : ''}`;
}
