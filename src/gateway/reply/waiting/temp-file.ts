/** Bytes of one reply on their way through a file, in their order. It is opened for the first of them. */
import type { FileHandle } from 'node:fs/promises';
import { cannotKeep, namelessFile } from '../../nameless-file.ts';

/** Bytes to read at a time. */
const step = 65_536;

export interface TempFileLimits {
  /** Bytes of a file at most. */
  readonly size: number;
  readonly folder: string;
}

export class TempFile {
  readonly #limits: TempFileLimits;
  #file: FileHandle | null = null;
  #isClosed = false;
  #put = 0;
  #taken = 0;
  #failure: Error | null = null;

  constructor(limits: TempFileLimits) {
    this.#limits = limits;
  }

  /** Why the disk took no more. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** Nothing more can be put into it, whatever is taken out: disk space is given back by closing it. */
  get isFull(): boolean {
    return this.#put === this.#limits.size || this.#failure !== null;
  }

  /** All that was put into it has been taken out. */
  get isEmpty(): boolean {
    return this.#taken === this.#put;
  }

  /** Resolves with the rest, for which there was no room. */
  async put(bytes: Buffer): Promise<Buffer> {
    const most = Math.min(bytes.length, this.#limits.size - this.#put);
    let at = 0;
    try {
      const file = await this.#opened();
      // of what is more than a disk has room for, a part may be written before the rest fails
      while (at < most && !this.#isClosed) {
        const { bytesWritten } = await file.write(bytes, at, most - at, this.#put);
        at += bytesWritten;
        this.#put += bytesWritten;
      }
    } catch (error) {
      this.#failure = cannotKeep('A part of a reply', this.#limits.folder, error);
    }
    return bytes.subarray(at);
  }

  /** Not of an empty one. Rejects as the disk does. */
  async take(): Promise<Buffer> {
    const size = Math.min(step, this.#put - this.#taken);
    const file = await this.#opened();
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, this.#taken);
    if (bytesRead === 0) throw new Error('A file of a reply has become shorter');
    this.#taken += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  async #opened(): Promise<FileHandle> {
    if (this.#file) return this.#file;
    this.#file = await namelessFile(this.#limits.folder);
    if (this.#isClosed) this.close();
    return this.#file;
  }

  /** What is in it is lost. */
  close(): void {
    this.#isClosed = true;
    // waits for what is under way; there is nothing to lose in a file that nobody can open
    this.#file?.close().catch(() => {});
  }
}
