/** What the kernel tells in a file of /proc. */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** No file descriptor is left, here or on the whole machine: another may be closed at any moment. */
const SHORTAGE = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
/** For 3 s in all: a request waits for it, and would be lost without the proof. */
const TRIES = 120;
/** ms */
const PAUSE = 25;

/** Of Linux alone: '' where there is no such file, or it cannot be read. Never rejects. */
export async function readKernelFile(
  path: string,
  read: (path: string) => Promise<string> = (file) => readFile(file, 'latin1'),
): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await read(path);
    } catch (error) {
      if (tries === TRIES || !SHORTAGE.has(String((error as NodeJS.ErrnoException).code))) return '';
      await setTimeout(PAUSE);
    }
  }
}
