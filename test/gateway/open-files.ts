import { readdirSync, readlinkSync, statSync } from 'node:fs';

/** How many descriptors of this process are open on a file. */
export function openFiles(path: string): number {
  return open().filter(({ target }) => target === path).length;
}

/** How many are open on files in a folder, those that have no name any more among them. */
export function openFilesIn(folder: string): number {
  return open().filter(({ target }) => target.startsWith(`${folder}/`)).length;
}

/** Bytes of the one that is open in a folder; 0: there is none. */
export function sizeOfOpenFileIn(folder: string): number {
  const [found] = open().filter(({ target }) => target.startsWith(`${folder}/`));
  return found ? statSync(found.descriptor).size : 0;
}

interface Descriptor {
  readonly descriptor: string;
  readonly target: string;
}

function open(): Descriptor[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    const descriptor = `/proc/self/fd/${number}`;
    try {
      return [{ descriptor, target: readlinkSync(descriptor) }];
    } catch {
      // that of the list itself
      return [];
    }
  });
}
