/** What stands between PHP's answer and HTTP's: which headers may pass, how the body is framed, what an error is called. */
import { STATUS_CODES } from 'node:http';
import { ArgumentError, FcgiError } from '../errors.ts';
import type { Handover } from './handover.ts';
import { StalledBody } from './patience.ts';

/** The head as it goes to the client. */
export interface ReplyHead {
  readonly statusCode: number;
  /** PHP's reason phrase, or ''. */
  readonly statusMessage: string;
  /** name, value, name, value; case and order are PHP's. Each char is one byte. */
  readonly fields: string[];
  /** Bytes of the body, where PHP says so in one voice; null: unknown. */
  readonly contentLength: number | null;
  /** False: what PHP sends as body is dropped (HEAD, 204, 205, 304). */
  readonly hasBody: boolean;
  /** It comes as events do, each to be seen at once: `text/event-stream`, or PHP says `X-Accel-Buffering: no`. */
  readonly isStream: boolean;
  readonly handover: Handover;
}

const hopByHop = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'status',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// sent twice they contradict each other; the last one is what the script meant
const single = new Set([
  'age',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
]);

const nothing: Handover = { redirect: null, sendfile: null };

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// no server lets these out in a header, and a client may take them for a line's end
const control = /[^\t\x20-\x7e\x80-\xff]/g;

/**
 * The head of a reply from PHP's. Hop-by-hop headers go, those that `Connection` names too, and `X-Accel-*`, which is
 * for the server in front; a Content-Length stays only where it is one number. Control bytes become blanks (RFC 9110,
 * 5.5).
 */
export function replyHead(
  method: string,
  statusCode: number,
  statusMessage: string,
  rawHeaders: readonly string[],
): ReplyHead {
  const fields: string[] = [];
  let named: string[] = [];
  let length: string | null = null;
  let isOneLength = true;
  let isStream = false;
  let redirect: string | null = null;
  let sendfile: string | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = (rawHeaders[i + 1] ?? '').replace(control, ' ');
    const key = name.toLowerCase();
    if (key === 'connection') named = named.concat(value.toLowerCase().split(/[\t ]*,[\t ]*/));
    if (key === 'x-accel-buffering') isStream = value.toLowerCase() === 'no';
    else if (key === 'x-accel-redirect') redirect = value;
    else if (key === 'x-sendfile') sendfile = value;
    else if (key === 'content-type') isStream ||= value.startsWith('text/event-stream');
    if (key === 'content-length') {
      isOneLength &&= length === null || length === value;
      length = value;
    } else if (
      token.test(key) &&
      !hopByHop.has(key) &&
      !key.startsWith('proxy-') &&
      !key.startsWith('x-accel-')
    ) {
      const before = single.has(key) ? indexOfName(fields, key) : -1;
      if (before >= 0) fields[before + 1] = value;
      else fields.push(name, value);
    }
  }
  const isEmpty = statusCode === 204 || statusCode === 205;
  const hasBody = method !== 'HEAD' && !isEmpty && statusCode !== 304;
  const contentLength =
    length !== null && isOneLength && /^\d{1,15}$/.test(length) && !isEmpty ? Number(length) : null;
  const kept = named.length === 0 ? fields : without(fields, named);
  if (contentLength !== null) kept.push('Content-Length', String(contentLength));
  return {
    statusCode,
    statusMessage: statusMessage.replace(control, ' '),
    fields: kept,
    contentLength,
    hasBody,
    isStream,
    handover: redirect === null && sendfile === null ? nothing : { redirect, sendfile },
  };
}

/** -1: there is none of that name, which is given in lower case. */
function indexOfName(fields: readonly string[], key: string): number {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]?.toLowerCase() === key) return i;
  return -1;
}

/** The fields that go with a file which PHP has handed over: length and ranges are the file's. */
export function fileFields({ fields }: ReplyHead): string[] {
  return without(fields, ['accept-ranges', 'content-length', 'content-range', 'x-sendfile']);
}

function without(fields: string[], named: string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name = '', value = ''] = fields.slice(i, i + 2);
    if (!named.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** An answer of the gateway itself. */
export interface OwnAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Says what its status says and nothing more: the reason is for the log. */
export function ownAnswer(statusCode: number, headers: Readonly<Record<string, string>> = {}): OwnAnswer {
  const body = `${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\n`;
  const own = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(body.length) };
  const later = statusCode === 503 ? { 'Retry-After': '1' } : {};
  return { statusCode, headers: { ...own, ...later, ...headers }, body };
}

// params that are as long as the client's URL
const fromTheUrl = /^params\.(REQUEST_URI|QUERY_STRING|DOCUMENT_URI|PATH_INFO|PATH_TRANSLATED|SCRIPT_NAME)$/;

/** The status for a request that failed before PHP's head was there. */
export function statusFor(error: unknown): number {
  if (error instanceof StalledBody) return 408;
  if (!(error instanceof FcgiError)) return 502;
  switch (error.code) {
    case 'FCGI_ERR_CONNECT_TIMEOUT':
      // with a cause it was refused all the time
      return error.cause === undefined ? 504 : 502;
    case 'FCGI_ERR_HEADERS_TIMEOUT':
    case 'FCGI_ERR_BODY_TIMEOUT':
      return 504;
    case 'FCGI_ERR_QUEUE_FULL':
    case 'FCGI_ERR_QUEUE_TIMEOUT':
    case 'FCGI_ERR_NO_LIVE_UPSTREAM':
    case 'FCGI_ERR_OVERLOADED':
    case 'FCGI_ERR_CLOSED':
    case 'FCGI_ERR_DESTROYED':
      return 503;
    case 'FCGI_ERR_PARAM_TOO_LARGE':
      return error instanceof ArgumentError && fromTheUrl.test(error.option) ? 414 : 431;
    // a body that is not as long as its Content-Length: servers see to that, but not for every `Request`
    case 'FCGI_ERR_BODY_LENGTH':
      return 400;
    case 'FCGI_ERR_BODY_LENGTH_REQUIRED':
      return 411;
    // what clients send was checked before: these params are the configured ones
    case 'FCGI_ERR_INVALID_ARG':
      return 500;
    default:
      return 502;
  }
}
