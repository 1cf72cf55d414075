/**
 * Files for what does not fit in memory. They lose their name before the first byte is in them, so that nothing is left
 * behind, even where the process is killed.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../errors.ts';

/** For its owner alone, to be written and read. */
export async function namelessFile(folder: string): Promise<FileHandle> {
  const path = newPath(folder);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A folder in which no file can be made is found at the start, and not by the first that is needed. */
export function checkSpoolFolder(folder: string): void {
  const path = newPath(folder);
  closeSync(openSync(path, 'wx', 0o600));
  unlinkSync(path);
}

/**
 * A disk that is full, a folder that has gone, Node's permission model: the error of Node names a file that nobody knows.
 * `what`: is to be kept.
 */
export function cannotKeep(what: string, folder: string, cause: unknown): Error {
  const message = `${what} cannot be kept in "${folder}" (option spoolFolder; default: TMPDIR, or /tmp): ${errorText(cause)}`;
  return Object.assign(new Error(message, { cause }), { code: errorCode(cause) });
}

function newPath(folder: string): string {
  return join(folder, `fastcgi-pool-${randomUUID()}`);
}
