/** The body that a client sends: waited for, but not for ever, and whose fault it is where it breaks off. */
import { ArgumentError, errorCode, errorText, isError } from '../../errors.ts';
import { requestRead } from './touched-body.ts';

/** The client has promised more of a body, and sends nothing: 408. */
export class StalledBody extends ArgumentError {
  constructor(timeout: number) {
    super('FCGI_ERR_BODY_LENGTH', 'body', `The client sent nothing of its body for ${timeout} ms`);
  }
}

/**
 * The pieces of `source`. Rejects with StalledBody where the next one takes longer than `timeout` ms (0: it may), and
 * with an ArgumentError where the server says that the client has left: the log is not told of a failure of ours.
 */
export function clientBody(source: AsyncIterable<Uint8Array>, timeout: number): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new ClientBodyIterator(source, timeout) };
}

class ClientBodyIterator implements AsyncIterator<Uint8Array, unknown> {
  readonly #pieces: AsyncIterator<Uint8Array, unknown>;
  readonly #timeout: number;

  constructor(source: AsyncIterable<Uint8Array>, timeout: number) {
    // A web stream that somebody else reads: a hook has begun since the request was looked at.
    if ('locked' in source && source.locked === true) throw requestRead();
    this.#pieces = source[Symbol.asyncIterator]();
    this.#timeout = timeout;
  }

  next(): Promise<IteratorResult<Uint8Array, unknown>> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new StalledBody(this.#timeout));
      const timer = this.#timeout === 0 ? undefined : setTimeout(late, this.#timeout);
      this.#pieces.next().then(
        (piece) => {
          clearTimeout(timer);
          resolve(piece);
        },
        (error) => {
          clearTimeout(timer);
          reject(blamed(error));
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

/** What Deno calls the error of a body whose client has left; it fires the request's signal when the response is there, and not before. */
const inDeno: ReadonlySet<string> = new Set(['BadResource', 'ConnectionReset', 'Http']);

function blamed(error: unknown): unknown {
  if (errorCode(error) !== 'ECONNRESET' && !(isError(error) && inDeno.has(error.name))) return error;
  const message = `The client left in the middle of its body: ${errorText(error)}`;
  return new ArgumentError('FCGI_ERR_BODY_LENGTH', 'body', message);
}
