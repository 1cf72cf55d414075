/** The body of a reply as a stream for a framework to send: with its hooks, compressed, or as it is. */
import { Readable } from 'node:stream';

/** Bytes that wait in the stream before PHP's are counted as waiting for the client. */
const highWaterMark = 16_384;

export interface BodyOwner {
  /** Whoever sends it can take more. */
  resume(): void;
  /** It was given up before its end. */
  leave(): void;
  /** It goes straight to `destination`, so that a head may go out before the first piece. */
  onPiped(destination: NodeJS.WritableStream): void;
}

export class BodyStream extends Readable {
  readonly #owner: BodyOwner;
  #isWhole = false;

  constructor(owner: BodyOwner) {
    super({ highWaterMark });
    this.#owner = owner;
  }

  /** False: what was given before is still here. */
  accept(chunk: Buffer): boolean {
    return this.destroyed || this.push(chunk);
  }

  finish(): void {
    this.#isWhole = true;
    if (!this.destroyed) this.push(null);
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean | undefined }): T {
    const piped = super.pipe(destination, options);
    this.#owner.onPiped(destination);
    return piped;
  }

  override _read(): void {
    this.#owner.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isWhole) this.#owner.leave();
    callback(error);
  }
}
