/**
 * Which of the servers that stand at an address one after the other does a connection lead to? A socket file that was made anew, a link
 * that leads to another one, a name that has another address are another server until it shows what it is: a TCP proxy, php-fpm
 * behind one. Of the server behind the same host and port nothing here can tell: see pool/learned/continuity.ts.
 */
import { statSync } from 'node:fs';

/** Of a unix socket, just connected to `path`. '': it cannot be looked at. */
export function endpointOfPath(path: string): string {
  try {
    // an inode number may be given again; the time is when the socket was made, and no change of its owner or mode touches it
    const { dev, ino, mtimeMs } = statSync(path);
    return `${dev}:${ino}:${mtimeMs}`;
  } catch {
    // gone already, or there is no permission
    return '';
  }
}
