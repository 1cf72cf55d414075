/** What a client gets of a file: all of it, a range, or that it has it already (RFC 9110, 13 and 14). Pure. */
import fresh from 'fresh';
import parseRange from 'range-parser';
import { fieldsWhere } from '../../reply/fields.ts';
import { httpDate } from './http-date.ts';

export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly lastModified: string;
  /** Name and value in turn: what a whole answer has, Content-Length included. */
  readonly fields: readonly string[];
}

export function etagOf({ size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): string {
  return `W/"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
}

/** Of fields that come once each. */
export function headersOf(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) headers[fields[i] ?? ''] = fields[i + 1] ?? '';
  return headers;
}

/** The headers of a request, each by its name in lower case. */
export type HeaderOf = (name: string) => string | undefined;

export interface FileAnswer {
  readonly statusCode: 200 | 206 | 304 | 412 | 416;
  /** Name and value in turn. */
  readonly fields: readonly string[];
  /** First and last byte of the body, both included; null: it has none. */
  readonly range: readonly [first: number, last: number] | null;
}

/** Most requests bring none: then the whole file is the answer. Each name is spelled out, as a loop over them costs as much as the file. */
export function isConditional(headers: Readonly<Record<string, unknown>>): boolean {
  return (
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-match'] !== undefined ||
    headers['if-unmodified-since'] !== undefined ||
    headers['range'] !== undefined
  );
}

export function fileAnswer(file: FileFacts, header: HeaderOf): FileAnswer {
  if (isPreconditionFailed(file, header)) return { statusCode: 412, fields: [], range: null };
  if (nothingSent(file, header)) {
    return { statusCode: 304, fields: fieldsWhere(file.fields, staysFor304), range: null };
  }
  const { size, fields } = file;
  const wanted = rangeOf(file, header);
  if (wanted === 'unsatisfiable') {
    return { statusCode: 416, fields: ['Content-Range', `bytes */${size}`], range: null };
  }
  if (wanted === null) return { statusCode: 200, fields, range: size === 0 ? null : [0, size - 1] };
  const [first, last] = wanted;
  const part = [
    ...fieldsWhere(fields, (name) => name !== 'content-length'),
    ...['Content-Range', `bytes ${first}-${last}/${size}`, 'Content-Length', String(last - first + 1)],
  ];
  return { statusCode: 206, fields: part, range: wanted };
}

/** RFC 9110, 15.4.5: what tells of the body that is not sent is left out. */
function staysFor304(name: string): boolean {
  return !name.startsWith('content-') && name !== 'accept-ranges';
}

function isPreconditionFailed({ etag, lastModified }: FileFacts, header: HeaderOf): boolean {
  const match = header('if-match');
  if (match !== undefined) return match !== '*' && !tagsIn(match).includes(weakless(etag));
  const since = httpDate(header('if-unmodified-since'));
  return since !== null && Date.parse(lastModified) > since;
}

function nothingSent({ etag, lastModified }: FileFacts, header: HeaderOf): boolean {
  const since = httpDate(header('if-modified-since'));
  const asked = {
    'if-none-match': header('if-none-match'),
    'if-modified-since': since === null ? undefined : new Date(since).toUTCString(),
    'cache-control': header('cache-control'),
  };
  return fresh(asked, { etag, 'last-modified': lastModified });
}

/** Null: all of it, as for several ranges, which a server need not give (RFC 9110, 14.2). */
function rangeOf(file: FileFacts, header: HeaderOf): [number, number] | 'unsatisfiable' | null {
  const asked = header('range');
  if (asked === undefined || !/^ *bytes=/i.test(asked) || !isRangeOf(file, header('if-range'))) return null;
  // nothing has no part that a Content-Range could name
  if (file.size === 0) return null;
  const suffix = /^ *bytes=-(\d+)$/i.exec(asked)?.[1];
  // the last 500 of 200 bytes are all of them (14.1.2)
  if (Number(suffix) > file.size) return [0, file.size - 1];
  const ranges = parseRange(file.size, asked, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  const only = ranges === -2 || ranges.length !== 1 ? undefined : ranges[0];
  return only ? [only.start, only.end] : null;
}

/** If-Range: a part of another version must not be put into what the client has. */
function isRangeOf({ etag, lastModified }: FileFacts, condition: string | undefined): boolean {
  if (condition === undefined) return true;
  if (condition.includes('"')) return condition === etag;
  const since = httpDate(condition);
  // RFC 9110, 13.1.5: exactly that one; a file may also be put back to what it was before
  return since === Date.parse(lastModified);
}

function tagsIn(list: string): string[] {
  return list.split(',').map((tag) => weakless(tag.trim()));
}

function weakless(tag: string): string {
  return tag.replace(/^W\//, '');
}
