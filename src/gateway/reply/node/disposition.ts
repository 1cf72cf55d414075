/**
 * The names of downloads. Where node's HTTP/1 knows the length of the body before it writes `Content-Disposition`, it reads
 * the bytes of that header as UTF-8 and writes one byte for each character: the last of its code. Of `č` (U+010D)
 * becomes a carriage return, of `Ċ` a line feed, and whoever names a file could put headers into the response.
 */
import { ServerResponse } from 'node:http';
import { fieldsWhere } from '../fields.ts';
import type { ReplyHead } from '../head.ts';

const ascii = /^[\t\x20-\x7e]*$/;

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

/** For a framework whose end() comes before its writeHead(). */
export function inAscii(head: ReplyHead): ReplyHead {
  if (!isNamed(head.fields)) return head;
  const fields = head.fields.map((text, i) =>
    i % 2 === 1 && isDisposition(head.fields[i - 1]) ? asciiDisposition(text) : text,
  );
  return { ...head, fields };
}

/** RFC 6266: the name as `filename*`, which browsers prefer, and a plain one for whoever does not know that. Each char is one byte. */
export function asciiDisposition(value: string): string {
  if (ascii.test(value)) return value;
  const plain = value.replace(/[^\t\x20-\x7e]+/g, '_');
  if (/filename\*[ \t]*=/i.test(value)) return plain;
  const [, quoted, bare] = /filename[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"]+))/i.exec(value) ?? [];
  const name = quoted?.replace(/\\(.)/g, '$1') ?? bare?.trim();
  if (name === undefined || ascii.test(name)) return plain;
  const encoded = encodeURIComponent(textOf(name)).replace(/['()*]/g, percent);
  return `${plain}; filename*=UTF-8''${encoded}`;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** UTF-8, as almost all are; else the bytes are the characters. */
function textOf(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString();
  return text.includes('\ufffd') ? bytes : text;
}

function isNamed(fields: readonly string[]): boolean {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (isDisposition(fields[i]) && !ascii.test(fields[i + 1] ?? '')) return true;
  }
  return false;
}

function isDisposition(name: string | undefined): boolean {
  return name?.length === 19 && name.toLowerCase() === 'content-disposition';
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
