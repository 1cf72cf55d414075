/**
 * What may differ between two servers that give the same answer. Each rule says why; there are no others, and none
 * is for one case only.
 */
import type { Answer } from './answers.ts';

/** An answer as it is compared. */
export interface Normal {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: unknown;
  readonly whole: boolean;
}

/**
 * The time; the name of the software; the framing, which answers.ts has judged and taken off; what PHP says of a
 * connection that is not its own: RFC 9110, 7.6.1 has it end at the server, ours drops it, the others hand it on.
 */
const ofNoMatter = new Set([
  ...['date', 'server', 'connection', 'keep-alive', 'transfer-encoding'],
  ...['upgrade', 'trailer'],
]);

/** Of a page of the server's own, with its own words, only what a client acts upon. */
const actedUpon = new Set(['location', 'content-range']);

/**
 * In $_SERVER: the time, the ports of this very connection, the name of the software, and what only one server sets
 * (Apache's own names; the two of nginx's stock fastcgi_params that Apache has no word for).
 */
const ownNames = new Set([
  ...['REQUEST_TIME', 'REQUEST_TIME_FLOAT', 'REMOTE_PORT', 'SERVER_PORT', 'SERVER_SOFTWARE'],
  ...[
    'CONTEXT_DOCUMENT_ROOT',
    'CONTEXT_PREFIX',
    'SERVER_ADMIN',
    'SERVER_SIGNATURE',
    'PATH',
    'LD_LIBRARY_PATH',
  ],
  ...['DOCUMENT_URI', 'REDIRECT_STATUS', 'REDIRECT_URL', 'REDIRECT_QUERY_STRING', 'proxy-nokeepalive'],
  // the same of the client's connection
  ...[
    'HTTP_CONNECTION',
    'HTTP_KEEP_ALIVE',
    'HTTP_TRANSFER_ENCODING',
    'HTTP_TE',
    'HTTP_TRAILER',
    'HTTP_UPGRADE',
  ],
  ...['HTTP_PROXY_CONNECTION', 'HTTP_PROXY_AUTHORIZATION', 'HTTP_HTTP2_SETTINGS'],
  // nginx hands these two on twice; RFC 3875, 4.1.18 advises against it
  ...['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH'],
]);

/** nginx sets these always, to nothing where there is nothing; the others do not set them then. */
const emptyIsAbsent = new Set(['CONTENT_TYPE', 'CONTENT_LENGTH', 'PATH_INFO', 'HTTPS']);

export function normal(answer: Answer, isHead: boolean): Normal {
  const { status, body, whole } = answer;
  const byPhp = answer.headers.some(([name]) => name === 'x-powered-by');
  const ownPage = !byPhp && status >= 300;
  const headers = answer.headers
    .filter(([name]) => (ownPage ? actedUpon.has(name) : !ofNoMatter.has(name)))
    // a length that frames a body has been judged by it; for HEAD it is all there is
    .filter(([name]) => name !== 'content-length' || isHead)
    .map(([name, value]) => `${name}: ${headerValue(name, value, byPhp)}`)
    .sort((a, b) => compareNames(a, b));
  return { status, headers, body: ownPage ? '' : bodyOf(answer, body), whole };
}

function headerValue(name: string, value: string, byPhp: boolean): string {
  if (byPhp) return value;
  // each server has a format of its own for its tags
  if (name === 'etag') return '"..."';
  // the border between the parts of multipart/byteranges is made up for each answer
  if (name === 'content-type')
    return value.replace(/boundary=.*/, 'boundary=...').replace('; charset', ';charset');
  // RFC 9110, 10.2.2: a Location may be relative or whole
  return name === 'location' ? value.replace(/^http:\/\/example\.test(?=\/)/, '') : value;
}

/** By name only, as the order of values of one name has a meaning. */
function compareNames(a: string, b: string): number {
  const [left = '', right = ''] = [a, b].map((line) => line.slice(0, line.indexOf(':')));
  return left < right ? -1 : Number(left > right);
}

function bodyOf(answer: Answer, body: string): unknown {
  if (answer.headers.some(([name]) => name === 'x-probe')) return probed(body);
  const type = answer.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  const border = /^multipart\/byteranges; ?boundary=(.+)$/.exec(type)?.[1];
  return border === undefined ? body : body.replaceAll(border, '...');
}

function probed(body: string): unknown {
  if (body === '') return '';
  const { server, ...rest } = JSON.parse(body) as { server: Record<string, unknown> };
  const kept = Object.entries(server)
    .filter(([name, value]) => !ownNames.has(name) && !(emptyIsAbsent.has(name) && value === ''))
    // with cgi.fix_pathinfo = 0 PHP-FPM would run that file in place of the script: we never send it
    .filter(([name]) => name !== 'PATH_TRANSLATED');
  return { ...rest, server: Object.fromEntries(kept) };
}
