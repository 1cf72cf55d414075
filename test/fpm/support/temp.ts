/** Temporary folders and free ports, and a last-resort clean-up for whatever a failing test left behind. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const leftovers = new Set<() => void>();
function cleanUpAll(): void {
  for (const cleanUp of leftovers) cleanUp();
  leftovers.clear();
}
process.once('exit', cleanUpAll);
// A signal ends Node without 'exit'; vitest ends its workers by SIGTERM.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    cleanUpAll();
    process.kill(process.pid, signal);
  });
}

/** Runs `cleanUp` (synchronous) when the process exits, unless the returned function was called before. */
export function onExit(cleanUp: () => void): () => void {
  leftovers.add(cleanUp);
  return () => leftovers.delete(cleanUp);
}

export interface TempDir {
  readonly path: string;
  /** Removes the folder with all that is in it; a second call does nothing. */
  remove(): void;
  [Symbol.dispose](): void;
}

/** A new empty folder with a short path: a unix socket's path ends at 107 bytes. */
export function tempDir(prefix = 'fcgi-'): TempDir {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const erase = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const forget = onExit(erase);
  const remove = (): void => {
    forget();
    erase();
  };
  return { path, remove, [Symbol.dispose]: remove };
}

/** Below those that the kernel gives to outgoing connections: one of those would be taken while a server is restarted. */
const PORTS = [12_000, 32_000] as const;

/** A TCP port of the loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    const isFree = await new Promise<boolean>((resolve, reject) => {
      const server = createServer();
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      });
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
