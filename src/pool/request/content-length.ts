/** Is a response's body as long as its Content-Length says? PHP-FPM does not look: the script may have died half way. */
import { type FailureFacts, ProtocolError } from '../../errors.ts';
import type { Ended } from '../dispatcher.ts';

/** Null where it says nothing of the body: HEAD, a status without one, or no number of bytes. */
export function contentLength(
  method: string,
  statusCode: number,
  header: string | readonly string[],
): ContentLength | null {
  if (method === 'HEAD' || statusCode < 200 || [204, 304].includes(statusCode)) return null;
  const values = new Set([header].flat().map((value) => value.trim()));
  if (![...values].every((value) => /^\d{1,15}$/.test(value))) return null;
  return new ContentLength([...values].map(Number));
}

const TOO_SHORT =
  'the script says itself how long its page is, and ended before all of it was written: has it died (see `stderr` and the log of PHP), or has an output buffer behind it made the page shorter?';
const WRONG =
  'the script says itself how long its page is, and has counted otherwise: letters in place of bytes, or without what else is written, such as a notice of PHP, a byte order mark, an empty line behind `?>`';

export class ContentLength {
  /** More than one where the header came several times, and not alike. */
  readonly #declared: readonly number[];
  #received = 0;

  constructor(declared: readonly number[]) {
    this.#declared = declared;
  }

  /** Of the next piece, what still belongs to the body. The script is not stopped for the rest: it may have work to do. */
  take(chunk: Buffer): Buffer {
    const left = Math.max(0, Math.max(...this.#declared) - this.#received);
    this.#received += chunk.length;
    return chunk.length <= left ? chunk : chunk.subarray(0, left);
  }

  /** The response has ended well, as far as FastCGI goes. `seen`: what is known of it besides. */
  check(ended: Ended, seen: Partial<FailureFacts>): ProtocolError | null {
    const [declared] = this.#declared;
    if (this.#declared.length === 1 && declared === this.#received) return null;
    const message =
      this.#declared.length > 1
        ? `Content-Length came as ${this.#declared.join(' and as ')}`
        : `Content-Length says ${declared} bytes, but the body has ${this.#received}`;
    const { attempts, executed, reused, server, stderr, times } = ended;
    const hint = this.#received < Math.min(...this.#declared) ? TOO_SHORT : WRONG;
    return new ProtocolError('FCGI_ERR_CONTENT_LENGTH', message, {
      facts: { ...seen, phase: 'body', attempts, executed, reused, server, stderr, times, hint },
    });
  }
}
