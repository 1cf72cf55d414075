/** Requests that came behind others on their connection, whose responses are not out yet. */
import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { isHttp2, type NodeRequest, type NodeResponse, serverOf } from './node-response.ts';

/** With more of them in line nothing is read of a connection: each takes a hundred times the memory of its bytes. */
const most = 16;

export class Pipelined {
  readonly #inLine = new WeakMap<Socket, number>();

  /** One that was made up for the handler has no server, and may have no socket. */
  isInLine(request: NodeRequest, response: NodeResponse): boolean {
    return (
      !isHttp2(response) && response.socket === null && !response.writableEnded && serverOf(request) !== null
    );
  }

  /** `answer` is called when it is its turn, in the async context of now. */
  wait({ socket }: NodeRequest, response: NodeResponse, answer: () => void): void {
    this.#inLine.set(socket, this.#count(socket) + 1);
    // at once would be in vain: node reads on when it has a request to its end
    if (this.#count(socket) > most) queueMicrotask(() => this.#pause(socket));
    const turn = (): void => {
      this.#inLine.set(socket, this.#count(socket) - 1);
      if (this.#count(socket) === 0) socket.resume();
      answer();
    };
    response.once('socket', AsyncResource.bind(turn));
  }

  #pause(socket: Socket): void {
    if (this.#count(socket) > most) socket.pause();
  }

  #count(socket: Socket): number {
    return this.#inLine.get(socket) ?? 0;
  }
}
