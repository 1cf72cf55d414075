/**
 * What PHP complains of, each message once. With a php-fpm of our own it comes two ways: with the request that wrote it,
 * and in php-fpm's own log, which has no request, but has also what comes after the end of one, or of a worker that dies.
 * So a line of the log waits a moment for the request that it belongs to.
 */
import { phpMessages } from '../../../cgi/php-message.ts';
import { printable } from '../../text.ts';
import { phpText } from './php-text.ts';

/** Milliseconds that a line of the log waits. */
const WAIT = 1000;
/** Milliseconds after which the second way of a line is not expected any more. */
const FORGET = 10_000;
/** Lines to remember at most. */
const MOST = 2000;

const parting = /(?:; |\n)PHP message: |\n/;
const prefix = /^(?:NOTICE: )?PHP message: /;

/** Takes whole lines. */
interface Out {
  write(lines: string): void;
}

interface Held {
  readonly line: string;
  /** It begins a message; others go on with one, or are a script's own. */
  readonly isMessage: boolean;
  readonly since: number;
}

export class PhpLog {
  readonly #out: Out;
  readonly #hasColors: boolean;
  /** Lines of the log that no request has claimed yet. */
  #held: Held[] = [];
  /** Lines that came with a request, and may come in the log. */
  readonly #requestLines = new Counts();
  /** Lines that were printed without one, and may come with it. */
  readonly #logLines = new Counts();
  #timer: NodeJS.Timeout | null = null;

  constructor(out: Out, hasColors: boolean) {
    this.#out = out;
    this.#hasColors = hasColors;
  }

  /** `text`: STDERR of a request, whole messages of it. */
  ofRequest(request: string, text: string, isLogged: boolean): void {
    if (isLogged && this.#knew(linesOf(text))) return;
    this.#print(text, printable(request));
  }

  /** A line of php-fpm's log that PHP or a script wrote. */
  logged(text: string): void {
    const isMessage = prefix.test(text);
    const line = keyOf(text);
    if (this.#requestLines.take(line)) return;
    if (!isMessage && this.#held.length === 0) {
      this.#out.write(`${printable(line)}\n`);
      return;
    }
    this.#held.push({ line, isMessage, since: performance.now() });
    this.#timer ??= setTimeout(() => this.#expire(), WAIT);
  }

  /** Nothing waits any longer. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#printHeld(this.#held.splice(0));
  }

  #expire(): void {
    this.#timer = null;
    const before = performance.now() - WAIT + 1;
    const last = this.#held.findIndex(({ since }) => since > before);
    this.#printHeld(this.#held.splice(0, last === -1 ? this.#held.length : last));
    if (this.#held.length > 0) this.#timer = setTimeout(() => this.#expire(), WAIT);
  }

  /** The message before the first lines was claimed, with all lines that were its own. */
  #printHeld(held: readonly Held[]): void {
    for (const { line } of held) this.#logLines.add(line);
    const first = held.findIndex(({ isMessage }) => isMessage);
    const end = first === -1 ? held.length : first;
    for (const { line } of held.slice(0, end)) this.#out.write(`${printable(line)}\n`);
    const rest = held.slice(end).map(({ line }) => line);
    if (rest.length > 0) this.#print(rest.join('\n'), '');
  }

  /** Whether all of it has been printed already. */
  #knew(lines: readonly string[]): boolean {
    let isNew = false;
    for (const line of lines) {
      if (this.#logLines.take(line)) continue;
      isNew = true;
      const at = this.#held.findIndex((one) => one.line === line);
      if (at === -1) this.#requestLines.add(line);
      else this.#held.splice(at, 1);
    }
    return !isNew;
  }

  #print(text: string, request: string): void {
    for (const message of phpMessages(text)) this.#out.write(phpText(message, request, this.#hasColors));
  }
}

/** The same line from both ways; what a terminal must not see is not in it. */
function keyOf(line: string): string {
  return line.replace(prefix, '').trimEnd();
}

function linesOf(text: string): string[] {
  return text
    .split(parting)
    .map(keyOf)
    .filter((line) => line !== '');
}

/** How often each line is expected. */
class Counts {
  readonly #times = new Map<string, number[]>();
  #size = 0;

  add(line: string): void {
    if (this.#size >= MOST) this.#clean();
    if (this.#size >= MOST) return;
    const times = this.#times.get(line) ?? [];
    times.push(performance.now());
    this.#times.set(line, times);
    this.#size += 1;
  }

  /** Whether it was expected; then once less. */
  take(line: string): boolean {
    const times = this.#times.get(line);
    const since = times?.shift();
    if (times === undefined || since === undefined) return false;
    this.#size -= 1;
    if (times.length === 0) this.#times.delete(line);
    return performance.now() - since < FORGET || this.take(line);
  }

  #clean(): void {
    const before = performance.now() - FORGET;
    for (const [line, times] of this.#times) {
      const kept = times.filter((time) => time > before);
      this.#size -= times.length - kept.length;
      if (kept.length === 0) this.#times.delete(line);
      else this.#times.set(line, kept);
    }
  }
}
