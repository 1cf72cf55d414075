/** Where a unix socket may lie. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes on macOS, less the NUL; Linux allows 4 more. Of a longer path Node binds what fits, which is another path. */
export const MAX_SOCKET_PATH = 103;

/** A new folder (mode 0700) for a socket of this name, in TMPDIR, or in /tmp where a path in that would be too long. */
export async function socketFolder(prefix: string, socket: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  if (Buffer.byteLength(join(folder, socket)) <= MAX_SOCKET_PATH) return folder;
  await rm(folder, { recursive: true });
  return mkdtemp(`/tmp/${prefix}`);
}
