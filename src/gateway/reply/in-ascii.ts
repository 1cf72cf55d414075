/**
 * The names of downloads in ASCII, for whoever writes a head in his own way: its chars are taken for bytes, for text that is to be
 * UTF-8, or, as node does (see node/disposition.ts), for both. Each char is one byte.
 */
import type { ReplyHead } from './head.ts';

const ascii = /^[\t\x20-\x7e]*$/;

/** For a framework whose end() comes before its writeHead(). */
export function inAscii(head: ReplyHead): ReplyHead {
  if (!isNamed(head.fields)) return head;
  const fields = head.fields.map((text, i) =>
    i % 2 === 1 && isDisposition(head.fields[i - 1]) ? asciiDisposition(text) : text,
  );
  return { ...head, fields };
}

/** For a server that nobody knows: what means the same in ASCII is said so. */
export function asciiValue(name: string, value: string): string {
  if (isDisposition(name)) return asciiDisposition(value);
  return name.length === 8 && name.toLowerCase() === 'location' ? asciiLocation(value) : value;
}

/** What browsers make of it. */
function asciiLocation(value: string): string {
  return value.replace(/[\x80-\xff]/g, percent);
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

export function isNamed(fields: readonly string[]): boolean {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (isDisposition(fields[i]) && !ascii.test(fields[i + 1] ?? '')) return true;
  }
  return false;
}

function isDisposition(name: string | undefined): boolean {
  return name?.length === 19 && name.toLowerCase() === 'content-disposition';
}
