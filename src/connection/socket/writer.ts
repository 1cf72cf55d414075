/** What a connection gives its socket to send, and how much of that has gone. */
import { encodeStdinTerminator } from '../../protocol/encoder.ts';
import type { Clock } from '../clock.ts';
import type { Exchange } from '../exchange.ts';
import type { Activity } from './activity.ts';
import { Drain } from './drain.ts';
import type { ConnectionSocket } from './socket.ts';

export class SocketWriter {
  readonly #socket: ConnectionSocket;
  readonly #activity: Activity;
  readonly #drain: Drain = new Drain();
  /** Bytes. Counted here: Node adds them up, and copies its queue for that, each time it is asked. */
  #given = 0;
  #before = 0;

  constructor(socket: ConnectionSocket, activity: Activity) {
    this.#socket = socket;
    this.#activity = activity;
    socket.on('drain', () => {
      activity.mark();
      this.#drain.end();
    });
  }

  /** Bytes of the exchange that the kernel has taken. */
  get sent(): number {
    return Math.max(0, this.#socket.bytesWritten - this.#before - this.#socket.writableLength);
  }

  /**
   * The first bytes of a request, and all of it where `parts` says so (`null`: the rest comes by `continue`).
   * True: nobody needs their memory any more, as the kernel has taken them.
   */
  begin(exchange: Exchange, first: Buffer, parts: readonly Uint8Array[] | null): boolean {
    this.#before = this.#given;
    if (parts === null || parts.length === 0) this.write(first);
    else this.#writeAll([first, ...parts]);
    exchange.handedOver = parts !== null;
    exchange.nothingAccepted = this.#socket.errored !== null;
    return this.#socket.writableLength === 0;
  }

  /** More of the body, `last` with its end; false: wait for `drained()` first. */
  continue(exchange: Exchange, parts: readonly Uint8Array[], last: boolean): boolean {
    this.#activity.mark();
    const room = this.#writeAll(parts);
    exchange.handedOver = last;
    return room;
  }

  /**
   * The empty STDIN record, on its own, once what has come meanwhile is read: a write to a worker that is gone would lose that. Not sent where
   * more of the response has come, or the exchange is over or its server has closed by then.
   */
  terminate(
    exchange: Exchange,
    clock: Pick<Clock, 'afterIo' | 'now'>,
    connection: { takes(exchange: Exchange): boolean },
  ): void {
    const { bytesReceived } = exchange;
    clock.afterIo(() => {
      if (exchange.terminatorSent || exchange.bytesReceived > bytesReceived) return;
      if (!connection.takes(exchange)) return;
      exchange.terminatorAfter = clock.now() - exchange.startedAt;
      this.write(encodeStdinTerminator(exchange.requestId));
    });
  }

  /** Not all of the request has been taken by the kernel. */
  isSending(exchange: Exchange): boolean {
    return !exchange.handedOver || this.#socket.writableLength > 0;
  }

  /** Resolves when the socket takes more, or is closed. */
  drained(): Promise<void> {
    return this.#drain.wait(this.#socket);
  }

  /** Nobody need wait any more. */
  close(): void {
    this.#drain.end();
  }

  /** False: the socket has enough for now. */
  write(bytes: Uint8Array): boolean {
    this.#given += bytes.length;
    return this.#socket.write(bytes);
  }

  /** In one go. */
  #writeAll(parts: readonly Uint8Array[]): boolean {
    let room = true;
    this.#socket.cork();
    for (const part of parts) room = this.write(part);
    this.#socket.uncork();
    return room;
  }
}
