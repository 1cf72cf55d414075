import type { ConnectionSocket } from './socket.ts';

/** Lets one writer wait until the socket takes more; also woken when there is nothing left to wait for. */
export class Drain {
  #wake: (() => void) | null = null;

  wait(socket: ConnectionSocket): Promise<void> {
    if (socket.destroyed || !socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  end(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
