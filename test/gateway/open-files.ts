import { readdirSync, readlinkSync } from 'node:fs';

/** How many descriptors of this process are open on a file. */
export function openFiles(path: string): number {
  return open().filter((target) => target === path).length;
}

/** How many are open on files in a folder, those that have no name any more among them. */
export function openFilesIn(folder: string): number {
  return open().filter((target) => target.startsWith(`${folder}/`)).length;
}

function open(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}
