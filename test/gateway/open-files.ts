import { readdirSync, readlinkSync } from 'node:fs';

/** How many descriptors of this process are open on a file. */
export function openFiles(path: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
    } catch {
      return false;
    }
  }).length;
}
