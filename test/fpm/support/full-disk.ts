/** A directory in which no file can be written. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onExit, tempDir } from './temp.ts';

export interface FullDisk {
  readonly path: string;
  [Symbol.dispose](): void;
}

/**
 * A file system of 64 KiB that is full. Who may not mount one gets a directory that is not there: to PHP it is the same,
 * a temporary file that cannot be written.
 */
export function fullDisk(): FullDisk {
  const folder = tempDir('full-');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.path]).status === 0;
  if (!mounted) return { path: join(folder.path, 'not-there'), [Symbol.dispose]: () => folder.remove() };
  const unmount = (): void => void spawnSync('umount', ['-l', folder.path]);
  const forget = onExit(unmount);
  fill(join(folder.path, 'all'));
  return {
    path: folder.path,
    [Symbol.dispose]: () => {
      forget();
      unmount();
      folder.remove();
    },
  };
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    // It is full.
  } finally {
    closeSync(file);
  }
}
