/** Reads the file of `--config`: JSON, or a module whose default export is the object, or makes it. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { withConfig } from '../../args/config.ts';
import type { ServeCommand } from '../../args/serve.ts';
import { delay } from '../../delay.ts';
import { importFile } from '../../import-file.ts';
import { reasonOf } from '../../text.ts';
import { UsageError } from '../../usage-error.ts';

/** Milliseconds that a module may take: it may ask for its settings. */
const READ_LIMIT = 30_000;

/** `limit`: milliseconds. */
export async function configured(
  command: ServeCommand,
  cwd: string,
  limit: number = READ_LIMIT,
): Promise<ServeCommand> {
  if (command.config === null) return command;
  const path = resolve(cwd, command.config);
  const name = basename(path);
  const content = await contentOf(path, command.config, limit);
  return withConfig(command, { name, content, resolve: (one) => resolve(dirname(path), one) });
}

async function contentOf(path: string, given: string, limit: number): Promise<unknown> {
  const timer = new AbortController();
  try {
    return await Promise.race([read(path), late(limit, timer.signal)]);
  } catch (error) {
    throw new UsageError(`--config '${given}' cannot be read: ${reasonOf(error)}`);
  } finally {
    timer.abort();
  }
}

async function read(path: string): Promise<unknown> {
  // some editors begin a file with a byte order mark
  if (!/\.[mc]?js$/.test(path)) return parsed((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
  const { default: exported } = await importFile(path);
  return typeof exported === 'function' ? exported() : exported;
}

/** JSON.parse() tells how many characters stand in front of what is wrong, which nobody counts. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = reasonOf(error);
    const [said = '', position] = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message) ?? [];
    const at = position === undefined ? text.search(/\S/) : Number(position);
    const lines = text.slice(0, at).split('\n');
    const place = ` at line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
    const isComment = /^(?:\/[/*]|#)/.test(text.slice(at));
    const hint = isComment ? ': JSON has no comments, which a module (.mjs) may have' : '';
    throw new Error((said === '' ? message : message.replace(said, place)) + hint);
  }
}

/** A promise that never settles would end the process without a word, as nothing else is going on; or keep it for ever. */
async function late(limit: number, signal: AbortSignal): Promise<never> {
  await delay(limit, signal);
  throw new Error(`it has not said what it exports within ${limit / 1000} s: it waits for a promise`);
}
