/** What a connection gives its socket to send, and how much of that has gone. */
import type { ConnectionSocket } from './socket.ts';

export class SocketWriter {
  readonly #socket: ConnectionSocket;
  /** Bytes. Counted here: Node adds them up, and copies its queue for that, each time it is asked. */
  #given = 0;
  #before = 0;

  constructor(socket: ConnectionSocket) {
    this.#socket = socket;
  }

  /** Bytes of the exchange that the kernel has taken. */
  get sent(): number {
    return this.#socket.bytesWritten - this.#before - this.#socket.writableLength;
  }

  /** An exchange begins. */
  begin(): void {
    this.#before = this.#given;
  }

  /** False: the socket has enough for now. */
  write(bytes: Uint8Array): boolean {
    this.#given += bytes.length;
    return this.#socket.write(bytes);
  }

  /** In one go. */
  writeAll(parts: readonly Uint8Array[]): boolean {
    let room = true;
    this.#socket.cork();
    for (const part of parts) room = this.write(part);
    this.#socket.uncork();
    return room;
  }
}
