/** The folders that are to be served: an error that says what is wrong with one, before anything is started. */
import { access, constants, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RootFolder } from '../../../gateway/site/root-folder.ts';
import { printable } from '../../text.ts';
import { UsageError } from '../../usage-error.ts';

/** Resolves with the absolute path. Throws a UsageError that names the option. */
export async function folderOf(cwd: string, option: string, given: string): Promise<string> {
  // a variable that a script has not set: it would be the current folder
  if (given === '') throw new UsageError(`${option} is empty`);
  const path = resolve(cwd, given);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'an error');
  if (info === 'ENOENT') throw new UsageError(`${option} '${given}' does not exist`);
  if (typeof info === 'string') throw new UsageError(`${option} '${given}' cannot be opened: ${info}`);
  if (!info.isDirectory()) throw new UsageError(`${option} '${given}' is not a folder`);
  // else PHP-FPM, which is started there, would seem to be what is wrong
  await access(path, constants.X_OK).catch(() => {
    throw new UsageError(`${option} '${given}' cannot be opened: no permission`);
  });
  return path;
}

/** `linked`: folders outside to which links may lead. */
export async function needFrontController(
  root: string,
  path: string | null,
  linked: readonly string[],
): Promise<void> {
  if (path === null) return;
  const info = await stat(join(root, path)).catch(() => null);
  if (!info?.isFile()) throw new UsageError(`--front-controller '${path}' is no file in DOCROOT`);
  // as Debian's packages have them
  const folder = new RootFolder(root, linked);
  const out = folder.look(path).kind === 'elsewhere' ? folder.linkOut(path) : null;
  if (out !== null) {
    const where = printable(out.target);
    throw new UsageError(
      `--front-controller '${path}' leads out of DOCROOT, to ${where} (--allow-symlinks-to)`,
    );
  }
}
