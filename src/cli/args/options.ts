/**
 * `parseArgs` of Node with our errors: each names the command and the option.
 * This folder: from words to checked options. Pure; it imports what its parent may.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { nearest } from './nearest.ts';

type OptionSpecs = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends OptionSpecs> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>;

/** Throws a UsageError for an unknown option, a missing value, or a value where none belongs. */
export function parseOptions<T extends OptionSpecs>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: joinNegatives(args, options), options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Node goes on to explain how a positional argument may begin with a dash: more than one line can hold.
    const [first = error.message] = error.message.split(/[.\n]\s/, 1);
    const what = first
      .replace(/\.$/, '')
      .replace(/^\w/, (letter) => letter.toLowerCase())
      .replace(/argument is ambiguous$/, 'lacks its value (one that begins with a dash stands behind =)');
    throw new UsageError(what + meant(what, Object.keys(options)));
  }
}

/** A number below zero is a value, and no option: Node would call it ambiguous rather than let us say what is wrong with it. */
function joinNegatives(args: readonly string[], options: OptionSpecs): string[] {
  const joined: string[] = [];
  for (const [index, word] of args.entries()) {
    if (word === '--') return [...joined, ...args.slice(index)];
    const before = joined.at(-1) ?? '';
    const takesValue = before.startsWith('--') && options[before.slice(2)]?.type === 'string';
    if (takesValue && /^-\d/.test(word)) joined[joined.length - 1] = `${before}=${word}`;
    else joined.push(word);
  }
  return joined;
}

/** What other servers of the command line (vite, serve, artisan, symfony) call it. */
function ours(typed: string): string {
  return ['port', 'host', 'bind', 'address'].includes(typed) ? 'listen' : typed;
}

function meant(what: string, names: readonly string[]): string {
  const typed = /^unknown option '--([^'=]+)/.exec(what)?.[1] ?? '';
  const name = nearest(ours(typed), names);
  return name === null ? '' : `: is --${name} meant?`;
}

/** Throws where there are fewer positional arguments than `names`, or more. */
export function positionals(given: readonly string[], names: readonly string[]): string[] {
  const missing = names[given.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const extra = given[names.length];
  if (extra !== undefined) throw new UsageError(`one argument too many: '${extra}'`);
  return [...given];
}
