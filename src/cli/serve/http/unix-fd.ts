/** Whether a socket that was handed over is a unix socket: Node tells only once it listens, and TLS is to be known before. */
import { readFileSync, readlinkSync } from 'node:fs';

/** By Linux's list of them; where there is none: false. */
export function isUnixSocket(fd: number): boolean {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    return inode !== undefined && inodes(readFileSync('/proc/net/unix', 'utf8')).includes(inode);
  } catch {
    return false;
  }
}

/** The seventh column; a path may follow. */
function inodes(list: string): string[] {
  return list.split('\n').map((line) => line.trim().split(/\s+/)[6] ?? '');
}
