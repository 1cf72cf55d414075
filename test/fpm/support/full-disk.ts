/** A directory in which no file can be written, or not much of one. */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onExit, tempDir } from './temp.ts';

export interface FullDisk {
  readonly path: string;
  [Symbol.dispose](): void;
}

/**
 * A file system of 64 KiB that is full but for `free` bytes. Who may not mount one gets a directory that is not there: to
 * who writes a temporary file it is the same.
 */
export function fullDisk(free = 0): FullDisk {
  const folder = tempDir('full-');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.path]).status === 0;
  if (!mounted) return { path: join(folder.path, 'not-there'), [Symbol.dispose]: () => folder.remove() };
  const unmount = (): void => void spawnSync('umount', ['-l', folder.path]);
  const forget = onExit(unmount);
  fill(join(folder.path, 'all'), free);
  return {
    path: folder.path,
    [Symbol.dispose]: () => {
      forget();
      unmount();
      folder.remove();
    },
  };
}

function fill(path: string, free: number): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    // It is full.
    ftruncateSync(file, Math.max(0, fstatSync(file).size - free));
  } finally {
    closeSync(file);
  }
}
