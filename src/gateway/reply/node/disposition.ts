/**
 * The names of downloads. Where node's HTTP/1 knows the length of the body before it writes `Content-Disposition`, it reads
 * the bytes of that header as UTF-8 and writes one byte for each character: the last of its code. Of `č` (U+010D)
 * becomes a carriage return, of `Ċ` a line feed, and whoever names a file could put headers into the response.
 */
import { ServerResponse } from 'node:http';
import { fieldsWhere } from '../fields.ts';
import type { ReplyHead } from '../head.ts';
import { inAscii, isNamed } from '../in-ascii.ts';

/** PHP's bytes, where nothing stands between us and node; else the same name in ASCII. `isRaw`: writeHead() is to be called before end(). */
export function safeDisposition(
  head: ReplyHead,
  response: ServerResponse,
): { readonly head: ReplyHead; readonly isRaw: boolean } {
  if (!isNamed(head.fields)) return { head, isRaw: false };
  // a middleware that keeps the page back, and sends it at its own time, does not do what is needed
  if (!isBare(response)) return { head: inAscii(head), isRaw: false };
  response.removeHeader('Content-Length');
  return { head: { ...head, fields: lengthLast(head.fields) }, isRaw: true };
}

function isBare({ writeHead, write, end }: ServerResponse): boolean {
  const { prototype } = ServerResponse;
  return writeHead === prototype.writeHead && write === prototype.write && end === prototype.end;
}

/** Node reads on in the order of the fields. */
function lengthLast(fields: readonly string[]): string[] {
  const isLength = (name: string): boolean => name === 'content-length';
  return [...fieldsWhere(fields, (name) => !isLength(name)), ...fieldsWhere(fields, isLength)];
}
