/**
 * Where the bytes of a pool's sockets arrive: one piece of memory for all of them, as a socket is read only when its
 * bytes are dealt with at once. Left to itself, node takes 64 KiB anew for each read, gives most of it back, and leaves
 * the rest to the garbage collector.
 */
import type { OnReadOpts } from 'node:net';
import { platform } from 'node:os';

/** Bytes: as many as node reads at a time. */
const SIZE = 64 * 1024;

/** Told of bytes: the first `length` of `bytes`. They are overwritten as soon as it returns. */
export type Receiver = (bytes: Buffer, length: number) => void;

/** One socket's. */
export interface SocketInput {
  /** For net.connect(). */
  readonly onread: OnReadOpts;
  /** Nothing comes before a request has gone out. */
  receive: Receiver;
}

export class ReadBuffer {
  #shared: Buffer | null = null;

  /** A new socket's. */
  open(): SocketInput {
    const bytes = this.#memory();
    const incoming: SocketInput = {
      onread: {
        buffer: bytes,
        callback: (length) => {
          incoming.receive(bytes, length);
          return true;
        },
      },
      receive: () => {},
    };
    return incoming;
  }

  #memory(): Buffer {
    // Windows is given the memory long before the bytes come: there it must be each socket's own.
    if (platform() === 'win32') return Buffer.allocUnsafeSlow(SIZE);
    this.#shared ??= Buffer.allocUnsafeSlow(SIZE);
    return this.#shared;
  }
}
