/** What stands between PHP's answer and HTTP's: which headers may pass, how the body is framed, what an error is called. */
import { STATUS_CODES } from 'node:http';
import { Names } from '../../cgi/names.ts';
import { ArgumentError, errorCode, isError } from '../../errors.ts';
import { StalledBody } from '../request/client-body.ts';
import { fieldsWhere } from './fields.ts';
import type { Handover } from './handover.ts';

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
  /** The first header that was dropped as HTTP does not have its name; null: none. */
  readonly misnamed: string | null;
}

const hopByHop = new Set([
  'http2-settings',
  'keep-alive',
  'proxy-connection',
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
const control = /[^\t\x20-\x7e\x80-\xff]/;
const controls = new RegExp(control, 'g');

/** What becomes of a header of PHP's. */
type Kind =
  | 'passes'
  /** The last one counts. */
  | 'single'
  | 'dropped'
  | 'misnamed'
  | 'connection'
  | 'content-length'
  | 'content-type'
  | 'x-accel-buffering'
  | 'x-accel-redirect'
  | 'x-sendfile';

export type HeaderKinds = Names<Kind>;

export function headerKinds(): HeaderKinds {
  return new Names(kindOf);
}

function kindOf(name: string): Kind {
  const key = name.toLowerCase();
  switch (key) {
    case 'connection':
    case 'content-length':
    case 'content-type':
    case 'x-accel-buffering':
    case 'x-accel-redirect':
    case 'x-sendfile':
      return key;
    default:
      if (!token.test(key)) return 'misnamed';
      if (hopByHop.has(key) || key.startsWith('x-accel-')) return 'dropped';
      return single.has(key) ? 'single' : 'passes';
  }
}

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
  kinds: HeaderKinds = headerKinds(),
): ReplyHead {
  const fields: string[] = [];
  let named: string[] = [];
  let length: string | null = null;
  let isOneLength = true;
  let isStream = false;
  let redirect: string | null = null;
  let sendfile: string | null = null;
  let misnamed: string | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = withoutControls(rawHeaders[i + 1] ?? '');
    switch (kinds.get(name)) {
      case 'dropped':
        break;
      case 'misnamed':
        misnamed ??= name;
        break;
      case 'passes':
        fields.push(name, value);
        break;
      case 'single':
        setField(fields, name, value);
        break;
      case 'content-type':
        // PHP's `header('Content-Type:')`: a page without a type, not a field without a value
        if (value === '') break;
        isStream ||= value.startsWith('text/event-stream');
        setField(fields, name, value);
        break;
      case 'content-length':
        isOneLength &&= length === null || length === value;
        length = value;
        break;
      case 'connection':
        named = named.concat(value.toLowerCase().split(/[\t ]*,[\t ]*/));
        break;
      case 'x-accel-buffering':
        isStream = value.toLowerCase() === 'no';
        break;
      case 'x-accel-redirect':
        redirect = value;
        break;
      case 'x-sendfile':
        sendfile = value;
        fields.push(name, value);
        break;
    }
  }
  const isEmpty = statusCode === 204 || statusCode === 205;
  const hasBody = method !== 'HEAD' && !isEmpty && statusCode !== 304;
  const contentLength =
    length !== null && isOneLength && /^\d{1,15}$/.test(length) && !isEmpty ? Number(length) : null;
  const kept = named.length === 0 ? fields : fieldsWhere(fields, (name) => !named.includes(name));
  if (contentLength !== null) kept.push('Content-Length', String(contentLength));
  return {
    statusCode,
    statusMessage: withoutControls(statusMessage),
    fields: kept,
    contentLength,
    hasBody,
    isStream,
    handover: redirect === null && sendfile === null ? nothing : { redirect, sendfile },
    misnamed,
  };
}

/** In the place of the one that is there already. */
function setField(fields: string[], name: string, value: string): void {
  const key = name.toLowerCase();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== key) continue;
    fields[i + 1] = value;
    return;
  }
  fields.push(name, value);
}

const ofTheFile: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-length',
  'content-range',
  'x-sendfile',
]);

/** The fields that go with a file which PHP has handed over: length and ranges are the file's. */
export function fileFields({ fields }: ReplyHead): string[] {
  return fieldsWhere(fields, (name) => !ofTheFile.has(name));
}

/** The head of a file on its way: `fields` are all of them. */
export function fileHead(statusCode: number, fields: readonly string[], hasBody: boolean): ReplyHead {
  const noLength = statusCode === 304;
  const length = fields[fields.findIndex((name, i) => i % 2 === 0 && /^content-length$/i.test(name)) + 1];
  return {
    statusCode,
    statusMessage: '',
    fields: [...fields],
    contentLength: noLength ? null : Number(length),
    hasBody,
    isStream: false,
    handover: nothing,
    misnamed: null,
  };
}

/** An answer of the gateway itself. */
export interface OwnAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Says what its status says and nothing more: the reason is for the log. `retryAfter`: seconds; 0: nobody knows. */
export function ownAnswer(
  statusCode: number,
  headers: Readonly<Record<string, string>> = {},
  retryAfter = 0,
): OwnAnswer {
  const body = `${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\n`;
  const own = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(body.length) };
  const later = statusCode === 503 ? { 'Retry-After': String(Math.max(retryAfter, 1)) } : {};
  return { statusCode, headers: { ...own, ...later, ...headers }, body };
}

// params that are as long as the client's URL
const fromTheUrl = /^params\.(REQUEST_URI|QUERY_STRING|DOCUMENT_URI|PATH_INFO|PATH_TRANSLATED|SCRIPT_NAME)$/;

/**
 * The status for a request that failed before PHP's head was there. By its code: the pool may be of another copy of this package, and
 * so may its error's class.
 */
export function statusFor(error: unknown): number {
  if (error instanceof StalledBody) return 408;
  switch (errorCode(error)) {
    case 'FCGI_ERR_CONNECT_TIMEOUT':
      // with a cause it was refused all the time
      return isError(error) && error.cause !== undefined ? 502 : 504;
    case 'FCGI_ERR_TIMEOUT':
    case 'FCGI_ERR_HEADERS_TIMEOUT':
    case 'FCGI_ERR_BODY_TIMEOUT':
      return 504;
    case 'FCGI_ERR_QUEUE_FULL':
    case 'FCGI_ERR_QUEUE_OVERLOAD':
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
    // a middleware's doing
    case 'FCGI_ERR_BODY_READ':
      return 500;
    default:
      return clientStatus(error) ?? 502;
  }
}

/**
 * What the error of somebody else says of itself, as http-errors and the frameworks have it: a server that limits bodies breaks
 * off the stream with one of 413. Null: it blames no client.
 */
export function clientStatus(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  const { status } = error;
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 500
    ? status
    : null;
}

function withoutControls(value: string): string {
  // To look first takes half as long, and nearly none has any.
  return control.test(value) ? value.replace(controls, ' ') : value;
}
