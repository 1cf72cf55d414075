/** Where a unix socket may lie. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Bytes on macOS, less the NUL; Linux allows 4 more. Of a longer path Node binds what fits, which is another path. */
export const MAX_SOCKET_PATH = 103;

/**
 * A new folder (mode 0700) for a socket of this name, in TMPDIR, or in /tmp where a path in that would be too long.
 *
 * @throws an Error that names TMPDIR, where nothing can be made there: a container's root may be read-only.
 */
export async function socketFolder(prefix: string, socket: string): Promise<string> {
  const folder = await newFolder(join(tmpdir(), prefix));
  if (Buffer.byteLength(join(folder, socket)) <= MAX_SOCKET_PATH) return folder;
  await rm(folder, { recursive: true });
  return newFolder(`/tmp/${prefix}`);
}

async function newFolder(path: string): Promise<string> {
  try {
    return await mkdtemp(path);
  } catch (error) {
    const why = typeof error === 'object' && error && 'code' in error ? error.code : error;
    const message = `no folder for a socket can be made in ${dirname(path)}: ${why} (TMPDIR may name another one)`;
    throw new Error(message, { cause: error });
  }
}
