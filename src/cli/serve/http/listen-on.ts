/** Makes a server listen, and says what is wrong where it cannot. */
import { chmod, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { nameOf, type Place } from './place.ts';

/** `mode`: permissions of a unix socket; null: as the umask has it. Rejects with one line that says why not. */
export async function listenOn(server: Server, place: Place, mode: number | null): Promise<void> {
  try {
    await listen(server, place);
  } catch (error) {
    // a server that was killed leaves its socket behind
    if (!('path' in place) || codeOf(error) !== 'EADDRINUSE' || (await answers(place.path))) {
      throw new Error(`cannot listen on ${nameOf(place)}: ${whyNot(error)}`, { cause: error });
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

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function whyNot(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'the port is in use';
    case 'EACCES':
      return 'no permission (ports below 1024 are for root)';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is no address of this machine';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
