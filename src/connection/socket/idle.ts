/** What a connection does with the time in which it carries nothing. Times in ms. */
import type { ConnectionSocket } from './socket.ts';

/** A worker that has been told to leave is gone within a few ms of its last answer. */
const SETTLED = 40;

export class IdleState {
  /**
   * A worker that was about to leave behind its last answer would have closed the connection: it has been idle for so long, or the
   * worker has said that it waits for a request (slots/ask-kept.ts).
   */
  settled = false;
  readonly #socket: ConnectionSocket;
  /** As of the first tick that found it idle; -1: none has. */
  #since = -1;
  #unrefed = false;

  constructor(socket: ConnectionSocket) {
    this.#socket = socket;
  }

  tick(now: number): void {
    if (this.#since < 0) this.#since = now;
    else this.settled = now - this.#since >= SETTLED;
    if (this.#unrefed) return;
    // An idle connection must not keep a process alive that has nothing else to do.
    this.#unrefed = true;
    this.#socket.unref();
  }

  end(): void {
    this.settled = false;
    this.#since = -1;
    if (!this.#unrefed) return;
    this.#unrefed = false;
    this.#socket.ref();
  }
}
