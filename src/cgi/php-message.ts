/**
 * What PHP writes to STDERR, as messages. PHP-FPM sends a whole request's in one piece, up to 8 KiB, and glues them:
 *
 *  PHP message: PHP Warning:  Undefined variable $a in /srv/a.php on line 1; PHP message: from error_log()
 *
 * php-cgi and others end each with a line feed and have no `PHP message: `. A script can write the glue itself, so
 * what is told apart here is for people and logs, and nothing is to be decided by it.
 */

/** PHP's own levels; `'log'`: what error_log() wrote, or PHP-FPM itself. */
export type PhpLevel =
  | 'fatal'
  | 'parse'
  | 'recoverable'
  | 'warning'
  | 'notice'
  | 'deprecated'
  | 'strict'
  | 'log';

export interface PhpMessage {
  readonly level: PhpLevel;
  /** Without control characters: a line feed is `\n`, two characters, another one `\xHH`. At most 8,192 of them. */
  readonly message: string;
  /** '' where PHP has not said. */
  readonly file: string;
  /** 0 where PHP has not said. */
  readonly line: number;
  /** `#0 /srv/a.php(3): f()`, and `Next RuntimeException: ...` in front of the one it led to. At most 64 lines. */
  readonly trace: readonly string[];
}

const LEVELS: Readonly<Record<string, PhpLevel>> = {
  'Fatal error': 'fatal',
  'Parse error': 'parse',
  'Recoverable fatal error': 'recoverable',
  'Catchable fatal error': 'recoverable',
  Warning: 'warning',
  Notice: 'notice',
  Deprecated: 'deprecated',
  'Strict Standards': 'strict',
};

const PREFIX = 'PHP message: ';
const GLUE = `; ${PREFIX}`;
/** Older ones part them with line feeds. */
const parting: RegExp = /(?:; |\n)PHP message: /;
const levelled: RegExp = /^PHP ([A-Z][A-Za-z ]{3,23}): {2}/;
const STACK_TRACE = '\nStack trace:\n';
const MOST_CHARS = 8192;
const MOST_TRACE = 64;
/** Of what is not ended yet; the most that is kept of it. */
const MOST_PENDING = 64 * 1024;

/** All of `text`, which is whole. */
export function phpMessages(text: string): PhpMessage[] {
  return pieces(text).map(parsed);
}

/** The same for pieces that come one by one, cut anywhere. One for each request. */
export class PhpMessageSplitter {
  readonly #decoder: InstanceType<typeof TextDecoder> = new TextDecoder();
  #pending = '';

  /** What is known to be whole by now: the last one is only by what follows it. */
  push(chunk: Uint8Array): PhpMessage[] {
    const text = this.#pending + this.#decoder.decode(chunk, { stream: true });
    const glued = text.lastIndexOf(GLUE);
    const end = glued < 0 && text.length > MOST_PENDING ? text.length : glued;
    this.#pending = end < 0 ? text : text.slice(end);
    return end < 0 ? [] : phpMessages(text.slice(0, end));
  }

  /** The rest. */
  end(): PhpMessage[] {
    const text = this.#pending + this.#decoder.decode();
    this.#pending = '';
    return phpMessages(text);
  }
}

function pieces(text: string): string[] {
  const found: string[] = [];
  for (const [nth, glued] of text.split(parting).entries()) {
    const prefixed = glued.startsWith(PREFIX);
    if (nth > 0 || prefixed) found.push(nth === 0 ? glued.slice(PREFIX.length) : glued);
    // one by one: as arguments of a call some hundred thousand lines would be too many
    else for (const line of linesOf(glued)) found.push(line);
  }
  return found.map((piece) => piece.trimEnd()).filter((piece) => piece !== '');
}

/** Each line is one, but those that PHP's own messages consist of. */
function linesOf(text: string): string[] {
  const found: string[] = [];
  let open: string[] = [];
  let traced = false;
  const end = (): void => {
    if (open.length > 0) found.push(open.join('\n'));
    open = [];
    traced = false;
  };
  for (const line of text.split(/\r?\n/)) {
    const begins = levelled.test(line);
    if (begins) end();
    const lasts = begins || open.length > 0;
    open.push(line);
    traced ||= line === 'Stack trace:';
    const last = traced ? line.startsWith('  thrown in ') : / on line \d{1,10}$/.test(line);
    if (!lasts || last) end();
  }
  end();
  return found;
}

function parsed(text: string): PhpMessage {
  const begin = levelled.exec(text);
  const level = (begin?.[1] !== undefined && LEVELS[begin[1]]) || 'log';
  const body = level === 'log' ? text : text.slice(begin?.[0].length ?? 0);
  const { rest, file, line } = placed(body);
  const stack = rest.indexOf(STACK_TRACE);
  if (stack < 0) return { level, message: clean(rest), file, line, trace: [] };
  const thrown = thrownAt(rest.slice(0, stack));
  const trace = rest
    .slice(stack + STACK_TRACE.length)
    .split('\n')
    .filter((one) => one !== '' && one !== 'Stack trace:' && one !== '  thrown')
    .slice(0, MOST_TRACE)
    .map(clean);
  const message = clean(thrown.rest);
  return { level, message, file: file || thrown.file, line: line || thrown.line, trace };
}

interface Placed {
  readonly rest: string;
  readonly file: string;
  readonly line: number;
}

/** `... in /srv/a.php on line 3`. By the last ` in ` of all: a message may name a file of its own. */
function placed(text: string): Placed {
  const end = / on line (\d{1,10})$/.exec(text.slice(-24));
  if (end === null) return { rest: text, file: '', line: 0 };
  const before = text.slice(0, text.length - end[0].length);
  const at = Math.max(before.lastIndexOf(' in /'), before.lastIndexOf(' in phar:'));
  const from = at < 0 ? before.lastIndexOf(' in ') : at;
  if (from < 0) return { rest: text, file: '', line: 0 };
  return { rest: before.slice(0, from), file: clean(before.slice(from + 4)), line: Number(end[1]) };
}

/** `Uncaught LogicException: no in /srv/a.php:2`, as an exception becomes a string. */
function thrownAt(text: string): Placed {
  const end = /:(\d{1,10})$/.exec(text.slice(-12));
  const from = text.lastIndexOf(' in ');
  if (end === null || from < 0) return { rest: text, file: '', line: 0 };
  const file = clean(text.slice(from + 4, text.length - end[0].length));
  return { rest: text.slice(0, from), file, line: Number(end[1]) };
}

// They could forge a line of a log, move a terminal's cursor, or turn the direction of the text around them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls: RegExp = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function clean(text: string): string {
  const short = text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS - 1)}…` : text;
  return short.replace(controls, (one) => {
    const code = one.charCodeAt(0);
    const hex = code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
    return ESCAPES[one] ?? hex;
  });
}
