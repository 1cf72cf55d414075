/** Waiting for a client, but not for ever. */
import { ArgumentError } from '../../errors.ts';

/** The client has promised more of a body, and sends nothing: 408. */
export class StalledBody extends ArgumentError {
  constructor(timeout: number) {
    super('FCGI_ERR_BODY_LENGTH', 'body', `The client sent nothing of its body for ${timeout} ms`);
  }
}

/** `source`, which rejects with StalledBody where its next piece takes longer than `timeout` ms; 0: it may. */
export function withReadTimeout(
  source: AsyncIterable<Uint8Array>,
  timeout: number,
): AsyncIterable<Uint8Array> {
  return timeout === 0 ? source : { [Symbol.asyncIterator]: () => new ReadTimeoutIterator(source, timeout) };
}

class ReadTimeoutIterator implements AsyncIterator<Uint8Array, unknown> {
  readonly #pieces: AsyncIterator<Uint8Array, unknown>;
  readonly #timeout: number;

  constructor(source: AsyncIterable<Uint8Array>, timeout: number) {
    this.#pieces = source[Symbol.asyncIterator]();
    this.#timeout = timeout;
  }

  next(): Promise<IteratorResult<Uint8Array, unknown>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new StalledBody(this.#timeout)), this.#timeout);
      this.#pieces.next().then(
        (piece) => {
          clearTimeout(timer);
          resolve(piece);
        },
        (error) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }

  /** Not waited for: where a piece is still to come, the source says so only after it. */
  return(): Promise<IteratorResult<Uint8Array, unknown>> {
    this.#pieces.return?.().catch(() => {});
    return Promise.resolve({ done: true, value: undefined });
  }
}
