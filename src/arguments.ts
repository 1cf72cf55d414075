/** What every check of arguments has in common: is it an object of options, and are all names in it known? */
import { isErrored, isReadable, Readable } from 'node:stream';
import { ArgumentError } from './errors.ts';

/** ms, 24 days: longer ones overflow in Node, and would fire at once. */
export const LONGEST_DELAY: number = 2 ** 31 - 1;

/** An array, a Map or a function in its place would be taken for no options at all. */
export function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}

/** Throws FCGI_ERR_INVALID_ARG where `value` is not `good`: what it is, not what is in it, is said. */
export function checkArgument(option: string, value: unknown, good: boolean, expected: string): void {
  if (good) return;
  throw new ArgumentError(
    'FCGI_ERR_INVALID_ARG',
    option,
    `${option} must be ${expected}, not ${kindOf(value)}`,
  );
}

/** Throws FCGI_ERR_INVALID_ARG where `value` is no object of options. */
export function checkIsOptions(option: string, value: unknown): void {
  checkArgument(option, value, isOptions(value), 'an object');
}

/** Throws FCGI_ERR_INVALID_ARG where there is one: undici's methods take callbacks, and here it would never be called. */
export function checkNoCallback(method: string, callback: unknown): void {
  if (typeof callback !== 'function') return;
  const message = `${method}() takes no callback: it returns a promise`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'callback', message);
}

/**
 * Throws FCGI_ERR_INVALID_ARG where `value` has a name that is not known. `whose`: 'a gateway'; `path`: where it stands, 'files.'.
 */
export function checkNames(value: object, known: object, whose: string, path = ''): void {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(known, name)) throw unknownName(name, Object.keys(known), whose, path);
  }
}

/** FCGI_ERR_INVALID_ARG that says which known name was most likely meant. */
export function unknownName(name: string, known: readonly string[], whose: string, path = ''): ArgumentError {
  const meant = nearest(name, known);
  const hint = meant === null ? '' : `; is it ${path}${meant} that you mean?`;
  const message = `${whose} has no ${JSON.stringify(path + name)}${hint}`;
  return new ArgumentError('FCGI_ERR_INVALID_ARG', path + name, message);
}

/** 'a Map', 'a number', 'undefined': what it is, not what is in it, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  // A generator and an object of a class without a name have no other.
  const tag = (): string => Object.prototype.toString.call(value).slice('[object '.length, -1);
  const name = typeof value === 'object' ? value.constructor?.name || tag() : typeof value;
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** How to make a body of what fetch() takes for one. */
const BODIES: Readonly<Record<string, string>> = {
  ArrayBuffer: 'new Uint8Array(it)',
  Blob: 'its stream()',
  File: 'its stream()',
  FormData: 'the body of `new Response(it)`, and its Content-Type as CONTENT_TYPE',
  Promise: 'what it resolves with',
  Request: 'its body',
  Response: 'its body',
  URLSearchParams: 'String(it)',
};

/** Why `value` can be no body of a request. */
export function noBody(value: unknown): string {
  return `the body must be a string, a Uint8Array, an AsyncIterable or null, not ${kindOf(value)}${instead(value)}`;
}

/** Why `value` can be no piece of a body that is a stream. */
export function noPiece(value: unknown): string {
  // Node 20 gives such for the stream of a FileHandle.
  const how = instead(value) || ', which is neither bytes nor a string';
  return `the body gave ${kindOf(value)}${how}`;
}

/**
 * Why a stream can be no body, or null: what somebody has read to its end would be an empty one for PHP, and of what somebody else
 * reads nothing comes here. One that was read in part gives the rest.
 */
export function whyUnreadable(body: object): string | null {
  if (isWebStream(body) && body.locked) {
    return 'the body is a stream that somebody else reads (it is locked): give one that nobody reads, such as a branch of its tee(), or the body of a clone() that was made before';
  }
  // Node's functions take web streams as well; its types do not know that.
  const stream = body as Readable;
  const isRead =
    body instanceof Readable
      ? isTaken(body)
      : isWebStream(body) && Readable.isDisturbed(stream) && !isReadable(stream) && !isErrored(stream);
  return isRead ? 'the body has been read before: its stream has nothing to give any more' : null;
}

/** To its end; or whole, by the text() of a response's body, of which the stream has seen nothing. */
function isTaken(body: Readable & { readonly bodyUsed?: unknown }): boolean {
  return body.readableDidRead ? body.readableEnded : body.bodyUsed === true;
}

/** By what it can do: it may come from another realm. */
export function isStream(body: unknown): body is Readable {
  return has(body, 'on') && has(body, 'destroy');
}

/** As isStream. */
export function isWebStream(body: unknown): body is ReadableStream {
  return has(body, 'cancel') && has(body, 'getReader');
}

function has(body: unknown, method: string): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return typeof (body as Record<string, unknown>)[method] === 'function';
}

function instead(value: unknown): string {
  const kind = kindOf(value);
  const name = kind.slice(kind.indexOf(' ') + 1);
  if (Object.hasOwn(BODIES, name)) return `: give ${BODIES[name]}`;
  const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
  return isList && !ArrayBuffer.isView(value) ? ': give Readable.from(it)' : '';
}

/** The known name that is meant; null where none is near: at most a third of its letters may differ. */
export function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < least && d <= candidate.length / 3) {
      best = candidate;
      least = d;
    }
  }
  return best;
}

/** Levenshtein's: the fewest letters to add, drop or change. */
function distance(a: string, b: string): number {
  if (a.length > 100) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
