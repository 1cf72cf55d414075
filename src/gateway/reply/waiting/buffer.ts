/** What was taken from PHP for clients that have not read it yet, and how much of that there may be. */

/** Bytes that each reply may hold, whatever the others do: most pages need no more. */
const ownSpace = 65_536;

/** Bytes that a piece costs beside its own: a script that flushes every byte must not fill the memory with objects. */
export const pieceCost = 512;

/** The bytes that all replies of a gateway share. */
export class BufferSpace {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#free += bytes;
  }
}

/** Of one reply. */
export class ReplyBuffer {
  readonly #limit: number;
  readonly #space: BufferSpace;
  readonly #client: { whenTaken(callback: () => void): void };
  #waiting = 0;
  #shared = 0;
  #isWatching = false;

  /** `limit`: bytes. `client` says when an ended reply is out: until then it takes its space. */
  constructor(limit: number, space: BufferSpace, client: { whenTaken(callback: () => void): void }) {
    this.#limit = limit;
    this.#space = space;
    this.#client = client;
  }

  /** False: no more may be taken from PHP until the client has read. */
  add(bytes: number): boolean {
    this.#waiting += bytes + pieceCost;
    if (this.#waiting > this.#limit) return false;
    const more = this.#waiting - this.#shared - ownSpace;
    if (more <= 0) return true;
    if (!this.#space.take(more)) return false;
    this.#shared += more;
    if (!this.#isWatching) {
      this.#isWatching = true;
      this.#client.whenTaken(() => this.clear());
    }
    return true;
  }

  /** The client has caught up, or gone. */
  clear(): void {
    this.#waiting = 0;
    this.#space.giveBack(this.#shared);
    this.#shared = 0;
  }
}
