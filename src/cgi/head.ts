/**
 * The head of a CGI response (RFC 3875, 6.3), read from STDOUT bytes as they come. PHP-FPM writes in pieces of 8 KiB,
 * so a head may be cut anywhere, over several records; the usual one, `X-Powered-By` and `Content-type`, comes whole.
 */
import { ProtocolError } from '../errors.ts';
import { Names } from './names.ts';

/**
 * Names in lower case; an object without a prototype, so that PHP may name a header `__proto__`. A header that came
 * once is a string, one that came more often an array in PHP's order; `set-cookie` is always an array. Each char of
 * a value is one byte (latin1).
 */
export type ResponseHeaders = Record<string, string | string[]> & { 'set-cookie'?: string[] };

export interface Head {
  /** 100 to 999: from `Status` or a status line in its place, else 302 where there is a `Location`, else 200. */
  readonly statusCode: number;
  /** The reason phrase of `Status`, or ''. */
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  /**
   * name, value, name, value; order and case as PHP sent them. Without `Status`, which is CGI's and not HTTP's. A name that HTTP does
   * not have (with a byte above 0x7f, say) is here only.
   */
  readonly rawHeaders: string[];
}

const LF = 0x0a;
const CR = 0x0d;
/** Stands for the beginning of a line that is not empty. */
const IN_LINE = 'x';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// a script's mistake in one header, which nginx lets out as it is: no reason to lose the page. A line of HTML, or with blanks, is no header at all
const misnomer = /^[!-9;=-~\x80-\xff][!-9;-~\x80-\xff]*$/;
const statusValue = /^([1-9]\d\d)(?: +(.*))?$/s;
// PHP's own with `cgi.rfc2616_headers = 1`, in place of `Status`: what a script says by `header('HTTP/1.1 404 Not Found')`
const statusLine = /^HTTP\/\d(?:\.\d)? +([1-9]\d\d)(?: +([^\r\n]*))?\r?\n/;
// CR counts only where it does not end a line: alone, it would split the header for a client that takes it for a line end
const forbidden = /\0|\r(?!\n)/;

/** Names of headers in lower case; '' for what is no name; null for one that HTTP does not have. */
export type HeadNames = Names<string | null>;

export function headNames(): HeadNames {
  return new Names((name) => {
    if (token.test(name)) return name.toLowerCase();
    return misnomer.test(name) ? null : '';
  });
}

/** Chars: so much is searched for the end of the head at once, as the body may be right behind it. */
const WINDOW = 1024;

/** One for each connection: `push` until it finds the end, read `head`, `reset` for the next response. */
export class HeadParser {
  head: Head | null = null;
  readonly #maxHeaderSize: number;
  readonly #names: HeadNames;
  #earlier = '';
  /** The line that has not ended: '', a CR alone, or IN_LINE. */
  #line = '';

  /** `maxHeaderSize` in bytes, the empty line included. `names`: to share them with other parsers. */
  constructor(maxHeaderSize: number, names: HeadNames = headNames()) {
    this.#names = names;
    this.#maxHeaderSize = maxHeaderSize;
  }

  /**
   * Takes the bytes from `start` up to `end` of `chunk`; keeps no reference to it. Returns -1 while the head is
   * incomplete, else the offset in `chunk` at which the body begins (`end` if none of it is there yet): `head` is
   * set then, and the rest is not for this parser.
   *
   * @throws ProtocolError FCGI_ERR_HEAD_INVALID, naming the line; FCGI_ERR_HEAD_TOO_LARGE.
   */
  push(chunk: Buffer, start: number, end: number): number {
    for (let from = start; from < end; from += WINDOW) {
      const text = chunk.toString('latin1', from, Math.min(from + WINDOW, end));
      const stop = this.#endIn(text);
      const length = this.#earlier.length + (stop === -1 ? text.length : stop);
      if (length > this.#maxHeaderSize) {
        throw new ProtocolError(
          'FCGI_ERR_HEAD_TOO_LARGE',
          `The head of the response is larger than maxHeaderSize (${this.#maxHeaderSize} bytes)`,
        );
      }
      if (stop !== -1) {
        const last = text.slice(0, stop);
        this.head = parseHead(this.#earlier === '' ? last : this.#earlier + last, this.#names);
        return from + stop;
      }
      this.#earlier += text;
    }
    return -1;
  }

  /** Forgets everything of this response, finished or not. */
  reset(): void {
    this.head = null;
    this.#earlier = '';
    this.#line = '';
  }

  /** Where the body begins in `text`; -1: not there. */
  #endIn(text: string): number {
    const seen = this.#line + text;
    const end = behindEmptyLine(seen);
    if (end > 0) return end - this.#line.length;
    const line = seen.slice(seen.lastIndexOf('\n') + 1);
    this.#line = line === '' || line === '\r' ? line : IN_LINE;
    return -1;
  }
}

/** From the beginning of a line on; 0: there is none. Line by line: byte by byte took longer than all the rest of a large head. */
function behindEmptyLine(text: string): number {
  for (let start = 0; ; ) {
    const first = text.charCodeAt(start);
    if (first === LF) return start + 1;
    if (first === CR && text.charCodeAt(start + 1) === LF) return start + 2;
    start = text.indexOf('\n', start) + 1;
    if (start === 0) return 0;
  }
}

/** `text` ends with the empty line. */
function parseHead(text: string, names: HeadNames): Head {
  if (forbidden.test(text)) throw invalid(lineAt(text, text.search(forbidden)), 'has a NUL or a lone CR');
  const headers: ResponseHeaders = Object.create(null);
  const rawHeaders: string[] = [];
  const [line = '', code = '0', phrase = ''] = text.startsWith('HTTP/') ? (statusLine.exec(text) ?? []) : [];
  let statusCode = Number(code);
  let statusText = trimmed(phrase, 0, phrase.length);

  for (let start = line.length; ; ) {
    const newline = text.indexOf('\n', start);
    const end = text.charCodeAt(newline - 1) === CR ? newline - 1 : newline;
    if (end <= start) break;
    const colon = text.indexOf(':', start);
    if (colon === -1 || colon > end) throw invalid(text.slice(start, end), 'has no colon');
    const name = text.slice(start, colon);
    const key = names.get(name);
    if (key === '') throw invalid(text.slice(start, end), 'does not begin with a header name');
    const value = trimmed(text, colon + 1, end);
    if (key !== 'status') {
      rawHeaders.push(name, value);
      if (key !== null) add(headers, key, value);
    } else if (statusCode === 0) {
      const status = statusValue.exec(value);
      if (!status) throw invalid(text.slice(start, end), 'has no status of three digits');
      statusCode = Number(status[1]);
      statusText = status[2] ?? '';
    }
    start = newline + 1;
  }
  // RFC 3875, 6.2.2 has the server answer a Location that is a path with that page itself; nginx, whose place this
  // takes, sends 302 like for a URL. PHP always sends a Status of its own beside Location.
  if (statusCode === 0) statusCode = 'location' in headers ? 302 : 200;
  return { statusCode, statusText, headers, rawHeaders };
}

function add(headers: ResponseHeaders, key: string, value: string): void {
  const there = headers[key];
  if (there === undefined) headers[key] = key === 'set-cookie' ? [value] : value;
  else if (typeof there === 'string') headers[key] = [there, value];
  else there.push(value);
}

/** The part of `text` without the blanks and tabs around it; `trim()` would take 0xa0, a byte of UTF-8, as well. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf('\n', index - 1) + 1, text.indexOf('\n', index)).replace(/\r$/, '');
}

function invalid(line: string, problem: string): ProtocolError {
  const shown = line
    .slice(0, 80)
    .replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const message = `A line of the response's head ${problem}: "${shown}${line.length > 80 ? '...' : ''}"`;
  return new ProtocolError('FCGI_ERR_HEAD_INVALID', message);
}
