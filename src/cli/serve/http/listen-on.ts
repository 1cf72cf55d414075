/** Makes a server listen, and says what is wrong where it cannot. */
import { existsSync } from 'node:fs';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { nameOf, type Place } from './listen-address.ts';

/** `mode`: permissions of a unix socket; null: as the umask has it. Rejects with one line that says why not. */
export async function listenOn(server: Server, place: Place, mode: number | null): Promise<void> {
  try {
    await listen(server, place);
  } catch (error) {
    // a server that was killed leaves its socket behind
    if (!('path' in place) || codeOf(error) !== 'EADDRINUSE' || !(await isLeftBehind(place.path))) {
      throw new Error(`cannot listen on ${nameOf(place)}: ${whyNot(error, place)}`, { cause: error });
    }
    await unlink(place.path);
    await listen(server, place);
  }
  if ('path' in place && mode !== null) await chmod(place.path, mode);
}

function listen(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...place }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A socket to which nobody listens. A file of any other kind is somebody's, though it refuses connections as well. */
async function isLeftBehind(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'));
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function whyNot(error: unknown, place: Place): string {
  const path = 'path' in place ? place.path : null;
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return path === null ? 'the port is in use' : 'another server listens there, or it is no socket';
    case 'EACCES':
      if (path === null) return 'no permission (ports below 1024 are for root)';
      return existsSync(dirname(path)) ? 'no permission' : `there is no folder ${dirname(path)}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is no address of this machine';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
