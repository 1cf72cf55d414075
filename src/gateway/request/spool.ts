/**
 * A body of unknown length is counted before PHP-FPM hears of it: without CONTENT_LENGTH PHP would see it as empty.
 * What does not fit in memory goes to a file.
 */
import type { FileHandle } from 'node:fs/promises';
import { cannotKeep, namelessFile } from '../nameless-file.ts';

/** Bytes that are written to the file, and read from it, at a time. */
const fileStep = 256 * 1024;

export interface SpoolLimits {
  /** Bytes to keep in memory. */
  readonly memory: number;
  /** Bytes at most, or Infinity. */
  readonly size: number;
  readonly folder: string;
}

export interface Spooled {
  /** Bytes. */
  readonly length: number;
  /** May be iterated again, from the start. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Frees the disk; the body cannot be read after that. */
  release(): void;
}

/** Reads `source` to its end; null as soon as it is larger than `limits.size`. Rejects as `source` or the disk does. */
export async function spool(source: AsyncIterable<Uint8Array>, limits: SpoolLimits): Promise<Spooled | null> {
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let length = 0;
  let file: FileHandle | null = null;
  const kept = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw cannotKeep('The body of a request', limits.folder, error);
    });
  try {
    for await (const chunk of source) {
      length += chunk.length;
      if (length > limits.size) {
        await file?.close();
        return null;
      }
      held.push(chunk);
      heldLength += chunk.length;
      // in large pieces, as each write is a detour through another thread
      if (heldLength <= Math.max(limits.memory, file === null ? 0 : fileStep)) continue;
      file ??= await kept(namelessFile(limits.folder));
      await kept(writeAll(file, Buffer.concat(held, heldLength)));
      held = [];
      heldLength = 0;
    }
    if (file) await kept(writeAll(file, Buffer.concat(held, heldLength)));
  } catch (error) {
    await file?.close();
    throw error;
  }
  return file ? onDisk(file, length) : { length, body: Buffer.concat(held, length), release: () => {} };
}

/** One write() may take a part only. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
  }
}

function onDisk(file: FileHandle, length: number): Spooled {
  let isOpen = true;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < length && isOpen; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(fileStep), 0, fileStep, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
  return {
    length,
    body: { [Symbol.asyncIterator]: read },
    release() {
      isOpen = false;
      // waits for a read under way; there is nothing to lose in a file that nobody can open
      file.close().catch(() => {});
    },
  };
}
