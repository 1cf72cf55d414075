/** PHP's headers on node's response object, set as any handler sets them: whoever wraps the response sees them. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { ProtocolError } from '../../../errors.ts';
import type { ReplyHead } from '../head.ts';
import { safeDisposition } from './disposition.ts';

/** Bytes: nghttp2's limit, beyond which it drops the stream without a word (`maxSendHeaderBlockLength` is its default). */
const longestHttp2Head = 65_536;

/**
 * Puts status, phrase and fields on `response`; nothing is sent. PHP's fields take the place of a middleware's, but
 * `Set-Cookie` and `Vary` are added to what is there.
 *
 * True: writeHead() is to be called before end(), see safeDisposition.
 *
 * @throws RangeError and ProtocolError FCGI_ERR_HEAD_TOO_LARGE for what HTTP/2 cannot carry, before anything is set.
 */
export function setHead(response: ServerResponse | Http2ServerResponse, head: ReplyHead): boolean {
  if ('stream' in response) {
    checkHttp2Head(head);
    response.statusCode = head.statusCode;
    setHeaders(response, head, true);
    return false;
  }
  // node has phrases of its own where PHP gave none; one that was set for another status must not stay
  response.statusMessage = head.statusMessage;
  response.statusCode = head.statusCode;
  const safe = safeDisposition(head, response);
  setHeaders(response, safe.head, false);
  return safe.isRaw;
}

/** What a response and a framework's reply have in common. */
export interface HeaderTarget {
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: string | string[]): unknown;
  hasHeader(name: string): boolean;
  removeHeader(name: string): unknown;
}

export function setHeaders(target: HeaderTarget, head: ReplyHead, isHttp2: boolean): void {
  // both together are an invalid response (RFC 9112, 6.2)
  const wrong = head.contentLength === null ? 'content-length' : 'transfer-encoding';
  if (target.hasHeader(wrong)) target.removeHeader(wrong);
  setFields(target, head.fields, isHttp2);
}

/** Each name once, with all that PHP gave for it: added one by one, some thousands of cookies would be copied for each of them. */
export function setFields(response: HeaderTarget, fields: readonly string[], isHttp2: boolean): void {
  const all = new Map<string, { name: string; readonly values: string[] }>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const key = name.toLowerCase();
    const before = all.get(key);
    if (before) {
      before.name = name;
      before.values.push(value);
    } else all.set(key, { name, values: [value] });
  }
  for (const [key, { name, values }] of all) {
    const isCookie = key === 'set-cookie';
    if (isCookie || key === 'vary') values.unshift(...valuesOf(response, name));
    const [first = '', second] = values;
    if (second === undefined) response.setHeader(name, first);
    // HTTP/2's API refuses two fields of most names: there they are joined (RFC 9110, 5.3)
    else response.setHeader(name, isHttp2 && !isCookie ? values.join(', ') : values);
  }
}

function valuesOf(response: HeaderTarget, name: string): string[] {
  const value = response.getHeader(name);
  return value === undefined ? [] : [value].flat().map(String);
}

/** @throws RangeError and ProtocolError FCGI_ERR_HEAD_TOO_LARGE */
export function checkHttp2Head({ statusCode, fields }: ReplyHead): void {
  if (statusCode > 599) throw new RangeError(`HTTP/2 has no status ${statusCode} in node`);
  // as nghttp2 reckons: 12 bytes for each name and value, and for the whole; `:status` and `date` come on top
  let bytes = 100;
  for (const text of fields) bytes += text.length + 6;
  if (bytes > longestHttp2Head) {
    const message = `The head of the response has ${bytes} bytes, and HTTP/2 takes ${longestHttp2Head} at the most`;
    throw new ProtocolError('FCGI_ERR_HEAD_TOO_LARGE', message);
  }
}
