/** A body that something in front of the gateway has read, decoded, or reads along: nothing of it may be lost in silence. */
import type { Readable } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import { RequestError } from '../../errors.ts';

/** Where middlewares and frameworks leave what they have read. */
interface LeftBehind {
  /** The bytes as they came: a convention of body-parser's `verify`, Nest, cloud functions, fastify-raw-body; text in koa-bodyparser. */
  readonly rawBody?: unknown;
  /** Bytes behind `express.raw()`, else what a parser has made of them. */
  readonly body?: unknown;
  readonly file?: unknown;
  readonly files?: unknown;
}

/** 'shared': it flows to somebody who listens, and nothing is gone yet. */
export type Touched = 'untouched' | 'shared' | 'read' | 'decoded';

export function touched(request: Readable): Touched {
  if (request.readableEncoding !== null) return 'decoded';
  if (request.readableDidRead) return 'read';
  // with a listener for 'readable' it comes to nobody by itself
  if (request.listenerCount('readable') > 0) return 'untouched';
  return request.readableFlowing === true || request.listenerCount('data') > 0 ? 'shared' : 'untouched';
}

/** What is known of a body by its head. */
export interface BodyHead {
  readonly length: string | undefined;
  readonly encoding: string | undefined;
  readonly type: string | undefined;
}

/** The body as it came, where somebody has kept it; null: it is not there, or cannot be told from a decoded one. */
export function rawBytes(left: object, head: BodyHead): Uint8Array | null {
  const { rawBody, body }: LeftBehind = left;
  if (isUint8Array(rawBody)) return isAsItCame(rawBody, head) ? rawBody : null;
  if (typeof rawBody === 'string' && isUtf8(rawBody, head)) {
    const bytes = Buffer.from(rawBody);
    return isAsItCame(bytes, head) ? bytes : null;
  }
  return isUint8Array(body) && isAsItCame(body, head) ? body : null;
}

/** Parsers inflate what they read: then the bytes are others than those that Content-Encoding speaks of. */
function isAsItCame(bytes: Uint8Array, { length, encoding }: BodyHead): boolean {
  if (length !== undefined) return bytes.length === Number(length);
  return encoding === undefined || encoding.toLowerCase() === 'identity';
}

function isUtf8(text: string, { type }: BodyHead): boolean {
  const charset = /;[\t ]*charset=["']?([\w-]+)/i.exec(type ?? '')?.[1] ?? 'utf-8';
  return /^(?:utf-?8|us-ascii)$/i.test(charset) && !text.includes('\ufffd');
}

/** Who has read a body, where nobody knows. */
const somebody = 'something in front of the PHP handler';

/** `places`: where the reader may have left what it has made of the body. */
export function bodyRead(how: 'read' | 'decoded', places: readonly LeftBehind[] = []): RequestError {
  const isUpload = places.some(({ file, files }) => file !== undefined || files !== undefined);
  const isParsed = places.some(({ body }) => body !== undefined);
  let by = somebody;
  if (isUpload) by = 'an upload parser such as multer';
  else if (isParsed) by = 'a body parser such as express.json() or koa-bodyparser';
  const message =
    how === 'read'
      ? readBy(by)
      : 'The body of the request is decoded to text (setEncoding) in front of the PHP handler: its bytes are lost for PHP';
  return refused(message, 'or let it keep the bytes as `request.rawBody`');
}

/** As `bodyRead`, of a web `Request`: nobody leaves anything on one, but it can be copied. */
export function requestRead(): RequestError {
  return refused(readBy(somebody), 'or let it read a copy, `request.clone()`');
}

/** A `Request` that has none of the body its head speaks of: SvelteKit's, for one without a Content-Type. */
export function requestWithoutBody(): RequestError {
  const message =
    'The body of the request was left out by the server in front of the PHP handler, which has made the Request: there is none for PHP';
  const hint =
    'put the handler of fastcgi-pool/node in front of that server; or have clients send a Content-Type: without one some servers take no body';
  return new RequestError('FCGI_ERR_BODY_READ', message, { facts: { hint } });
}

function readBy(reader: string): string {
  return `The body of the request was read by ${reader}: nothing is left of it for PHP`;
}

function refused(message: string, otherwise: string): RequestError {
  const hint = `move what reads bodies (parsers of JSON, forms and uploads) behind the PHP handler, or to the routes that need it; ${otherwise}`;
  return new RequestError('FCGI_ERR_BODY_READ', message, { facts: { hint } });
}
