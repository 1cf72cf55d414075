/** Reads the file of `--config`: JSON, or a module whose default export is the object, or makes it. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { withConfig } from '../../args/config.ts';
import type { ServeCommand } from '../../args/serve.ts';
import { importFile } from '../../import-file.ts';
import { reasonOf } from '../../text.ts';
import { UsageError } from '../../usage-error.ts';

export async function configured(command: ServeCommand, cwd: string): Promise<ServeCommand> {
  if (command.config === null) return command;
  const path = resolve(cwd, command.config);
  const name = basename(path);
  const content = await contentOf(path, command.config);
  return withConfig(command, { name, content, resolve: (one) => resolve(dirname(path), one) });
}

async function contentOf(path: string, given: string): Promise<unknown> {
  const isModule = /\.[mc]?js$/.test(path);
  try {
    // some editors begin a file with a byte order mark
    if (!isModule) return JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
    const { default: exported } = await importFile(path);
    return typeof exported === 'function' ? await exported() : exported;
  } catch (error) {
    throw new UsageError(`--config '${given}' cannot be read: ${reasonOf(error)}`);
  }
}
