/** V8's collector of garbage: memory that is free already says nothing of what is held. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function garbageCollector(): (options?: { type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

/** Bytes; not those that nobody holds any more, of which V8 says when it likes. */
export async function arrayBuffersInUse(): Promise<number> {
  const gc = garbageCollector();
  gc();
  // what was freed is counted off in a later turn
  await nextTurn();
  gc();
  return process.memoryUsage().arrayBuffers;
}
