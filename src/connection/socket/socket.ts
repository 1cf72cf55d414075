/**
 * This folder: what a connection needs of the operating system: an address, a connect, bytes in and out. It
 * imports what its parent may.
 */
/** What a connection uses of a socket; a `net.Socket` has it all. */
export interface ConnectionSocket {
  readonly destroyed: boolean;
  readonly errored: Error | null;
  /** Bytes that the kernel has not taken yet. */
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  readonly bytesWritten: number;
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  destroy(): unknown;
  ref(): unknown;
  unref(): unknown;
  on(event: 'end' | 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}
