/** Writing that waits until the reader has taken it all, so that nothing is lost when the process exits. */
import type { Writable } from 'node:stream';

/** Resolves when all is out; a reader that has left (`| head`) has seen enough, which is no failure. */
export function print(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error && !isReaderGone(error)) reject(error);
      else resolve();
    });
  });
}

export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'EIO');
}
