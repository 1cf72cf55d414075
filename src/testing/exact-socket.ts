/**
 * An accepted socket that takes from the kernel exactly the bytes it is asked for, as PHP-FPM does. Node by itself
 * reads ahead 64 KiB, and then nothing would be as it is with PHP-FPM: bytes left unread are what turns a close
 * into ECONNRESET for the client.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { setImmediate } from 'node:timers';

/** What `net.Server` gives its own sockets; not in the documentation, and the same in Node 20 to 26. */
interface AcceptOptions extends SocketConstructorOpts {
  handle: object;
  allowHalfOpen: true;
  pauseOnCreate: true;
  onread: { buffer: () => Uint8Array; callback: (bytesRead: number) => boolean };
}

export class ExactSocket {
  /** Settles when the socket is closed, by whichever end. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  /** The first byte of each read: a larger buffer would take bytes before anybody has asked for them. */
  readonly #first: Buffer = Buffer.alloc(1);
  #next: Buffer = this.#first;
  #target: Buffer = this.#first;
  #filled = 0;
  #done: ((bytes: Buffer) => void) | null = null;
  #ended = false;

  /** Takes over a socket that a server with `pauseOnConnect` and `allowHalfOpen` has accepted. */
  constructor(accepted: Socket) {
    this.#socket = new Socket(this.#takeOver(accepted));
    this.#socket.on('error', () => this.#end());
    this.#socket.on('end', () => this.#end());
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Waits for `length` bytes; gives fewer only where the client has closed, or this end has. */
  read(length: number): Promise<Buffer> {
    if (this.#ended || this.#socket.destroyed || length === 0) return Promise.resolve(Buffer.alloc(0));
    return new Promise((resolve) => {
      this.#target = Buffer.alloc(length);
      this.#filled = 0;
      this.#done = resolve;
      this.#socket.resume();
    });
  }

  /** Reads and throws away until the client closes. */
  async discard(): Promise<void> {
    const piece = 65_536;
    while ((await this.read(piece)).length === piece);
  }

  /** Settles when the kernel has taken the bytes, or never will. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** FIN: the client reads an end, and may still write. */
  finish(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.end(() => resolve());
      void this.closed.then(resolve);
    });
  }

  /** Closes at once. The kernel says FIN, or RST where bytes were left unread. */
  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Closes as a process does that dies: a moment after its last write. Were the end there together with what was
   * written, libuv would tell a client of data and FIN, even where it was RST.
   */
  async die(): Promise<void> {
    await turn();
    this.#socket.destroy();
  }

  /** Closes, and the client gets ECONNRESET. */
  async reset(): Promise<void> {
    await turn();
    if ('port' in this.#socket.address()) {
      this.#socket.resetAndDestroy();
      return;
    }
    // A unix socket has no RST of its own: it takes a byte left unread. Records have at least eight, so where one
    // can be read there are more.
    await this.read(1);
    this.#socket.destroy();
  }

  #takeOver(accepted: Socket): AcceptOptions {
    const owner: { _handle?: object | null } = accepted as unknown as { _handle?: object | null };
    const handle = owner._handle;
    if (!handle) throw new Error('this version of Node hides the handle of a socket');
    owner._handle = null;
    accepted.destroy();
    return {
      handle,
      allowHalfOpen: true,
      pauseOnCreate: true,
      onread: { buffer: () => this.#next, callback: (bytesRead) => this.#take(bytesRead) },
    };
  }

  /** Says whether to go on reading. */
  #take(bytesRead: number): boolean {
    if (this.#next === this.#first) this.#first.copy(this.#target, this.#filled);
    this.#filled += bytesRead;
    if (this.#filled < this.#target.length) {
      this.#next = this.#target.subarray(this.#filled);
      return true;
    }
    this.#next = this.#first;
    this.#settle();
    return false;
  }

  #end(): void {
    this.#ended = true;
    this.#settle();
  }

  #settle(): void {
    const done = this.#done;
    this.#done = null;
    done?.(this.#target.subarray(0, this.#filled));
  }
}

/**
 * A turn of the event loop, in which a client in this process reads what was written before. Twice, as the first
 * `setImmediate` may come before the next poll.
 */
export async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
