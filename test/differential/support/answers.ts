/** HTTP/1.1 responses from bytes, strictly: what a client would take for something else is a `flaw`. */

export interface Answer {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** Names in lower case, in their order. */
  readonly headers: readonly (readonly [string, string])[];
  /** Without the framing. */
  readonly body: string;
  /** False: the connection ended before the body did. */
  readonly whole: boolean;
}

export interface Answers {
  readonly answers: readonly Answer[];
  /** Framing that two clients could read in two ways, bytes after the last response, lines that are no header. */
  readonly flaws: readonly string[];
}

const statusLine = /^(HTTP\/1\.[01]) (\d{3})(?: (.*))?$/;
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(.*?)[\t ]*$/s;

/**
 * `methods`: those of the requests, as HEAD decides whether a body follows. Responses beyond them are a flaw, unless
 * they refuse what is no request.
 */
export function readAnswers(text: string, methods: readonly string[]): Answers {
  const answers: Answer[] = [];
  const flaws: string[] = [];
  let at = 0;
  let index = 0;
  while (at < text.length) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) {
      flaws.push(`no head: ${JSON.stringify(text.slice(at, at + 60))}`);
      break;
    }
    const [first = '', ...lines] = text.slice(at, end).split('\r\n');
    const match = statusLine.exec(first);
    if (!match) {
      flaws.push(`no status line: ${JSON.stringify(first.slice(0, 60))}`);
      break;
    }
    const headers = lines.map((line): [string, string] => {
      const parts = field.exec(line);
      if (!parts || /[\0\r\n]/.test(line)) flaws.push(`no header: ${JSON.stringify(line.slice(0, 60))}`);
      return [(parts?.[1] ?? '').toLowerCase(), parts?.[2] ?? ''];
    });
    const status = Number(match[2]);
    const isFinal = status >= 200;
    const isHead = methods[index] === 'HEAD';
    if (isFinal) index++;
    if (index > methods.length && status < 400) flaws.push('more responses than requests');
    const bodyless = !isFinal || isHead || status === 204 || status === 304;
    const body = bodyless ? { body: '', end: end + 4, whole: true } : bodyOf(text, end + 4, headers, flaws);
    answers.push({ version: match[1] ?? '', status, reason: match[3] ?? '', headers, ...body });
    at = body.end;
  }
  return { answers, flaws };
}

interface BodyRead {
  readonly body: string;
  readonly end: number;
  readonly whole: boolean;
}

function bodyOf(
  text: string,
  start: number,
  headers: readonly (readonly [string, string])[],
  flaws: string[],
): BodyRead {
  const valuesOf = (name: string): string[] =>
    headers.filter(([key]) => key === name).map(([, value]) => value);
  const codings = valuesOf('transfer-encoding');
  const lengths = valuesOf('content-length');
  if (codings.length + lengths.length > 1) flaws.push(`framed ${codings.length + lengths.length} times`);
  if (codings.length > 0) {
    if (codings[0]?.toLowerCase() !== 'chunked') flaws.push(`coding ${codings[0]}`);
    return chunkedBody(text, start, flaws);
  }
  const [length] = lengths;
  if (length === undefined) return { body: text.slice(start), end: text.length, whole: true };
  if (!/^\d+$/.test(length)) flaws.push(`length ${length}`);
  const end = start + Number(length);
  return { body: text.slice(start, end), end: Math.min(end, text.length), whole: end <= text.length };
}

function chunkedBody(text: string, start: number, flaws: string[]): BodyRead {
  let body = '';
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line === -1) return { body, end: text.length, whole: false };
    const size = text.slice(at, line);
    if (!/^[0-9a-f]+$/i.test(size)) {
      flaws.push(`chunk size ${JSON.stringify(size.slice(0, 20))}`);
      return { body, end: text.length, whole: false };
    }
    const length = Number.parseInt(size, 16);
    const next = line + 2 + length;
    if (next + 2 > text.length) return { body: body + text.slice(line + 2), end: text.length, whole: false };
    body += text.slice(line + 2, next);
    if (text.slice(next, next + 2) !== '\r\n') flaws.push('a chunk that does not end where it should');
    at = next + 2;
    if (length === 0) return { body, end: at, whole: true };
  }
}
