/** Makes a server listen, and says what is wrong where it cannot. */
import { existsSync } from 'node:fs';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { errorCode } from '../../../errors.ts';
import { reasonOf } from '../../text.ts';
import { type ListenAddress, nameOf } from './listen-address.ts';

/** `mode`: permissions of a unix socket; null: as the umask has it. Rejects with one line that says why not. */
export async function listenOn(server: Server, address: ListenAddress, mode: number | null): Promise<void> {
  try {
    await listen(server, address);
  } catch (error) {
    // a server that was killed leaves its socket behind
    if (!('path' in address) || errorCode(error) !== 'EADDRINUSE' || !(await isLeftBehind(address.path))) {
      throw inVain(error, address);
    }
    await unlink(address.path);
    await listen(server, address);
  }
  if ('path' in address && mode !== null) await chmod(address.path, mode);
}

/**
 * Rejects where `listenOn` would. Where somebody listens all is well: it may be the server that is to be started anew, which runs while it
 * is seen whether it could be.
 */
export async function tryListening(address: ListenAddress): Promise<void> {
  if ('fd' in address) return;
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, address);
  } catch (error) {
    const isTaken =
      errorCode(error) === 'EADDRINUSE' && (!('path' in address) || (await isSocket(address.path)));
    if (!isTaken) throw inVain(error, address);
  } finally {
    server.close();
  }
}

function inVain(error: unknown, address: ListenAddress): Error {
  return new Error(`cannot listen on ${nameOf(address)}: ${whyNot(error, address)}`, { cause: error });
}

function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...address }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A socket to which nobody listens. A file of any other kind is somebody's, though it refuses connections as well. */
async function isLeftBehind(path: string): Promise<boolean> {
  if (!(await isSocket(path))) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED'));
  });
}

async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path)).isSocket();
}

function whyNot(error: unknown, address: ListenAddress): string {
  const path = 'path' in address ? address.path : null;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return path === null ? 'the port is in use' : 'another server listens there, or it is no socket';
    case 'EACCES':
      if (path === null) return 'no permission (ports below 1024 are for root)';
      return existsSync(dirname(path)) ? 'no permission' : `there is no folder ${dirname(path)}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is no address of this machine';
    case 'EINVAL':
      return 'fd' in address
        ? 'it is a connection, or takes datagrams (a socket unit of systemd wants Accept=no and ListenStream=)'
        : reasonOf(error);
    default:
      return reasonOf(error);
  }
}
