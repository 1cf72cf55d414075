/** Is the body of a mock's response as long as its Content-Length says? `request()` of a Pool looks, so that of a mock does. */
import { ProtocolError } from '../../errors.ts';
import type { MockDispatchRequest, MockEnded } from './types.ts';

export class BodyLength {
  /** What was said, each number once; empty: nothing that binds. */
  readonly #said: readonly number[];
  #seen = 0;

  constructor({ params }: MockDispatchRequest, statusCode: number, header: string | string[] | undefined) {
    const method = Buffer.from(params['REQUEST_METHOD'] ?? '').toString('latin1');
    const isBodiless = method === 'HEAD' || statusCode < 200 || statusCode === 204 || statusCode === 304;
    const values = isBodiless || header === undefined ? [] : [header].flat().map((value) => value.trim());
    this.#said = values.every((value) => /^\d{1,15}$/.test(value)) ? [...new Set(values)].map(Number) : [];
  }

  /** What of the next piece belongs to the body. */
  take(piece: Buffer): Buffer {
    const left = Math.max(...this.#said) - this.#seen;
    this.#seen += piece.length;
    return this.#said.length === 0 ? piece : piece.subarray(0, Math.max(0, left));
  }

  /** Of a response that has ended well otherwise. */
  check({ attempts, executed, reused, server, stderr, times }: MockEnded): ProtocolError | null {
    const [said] = this.#said;
    if (said === undefined || (this.#said.length === 1 && said === this.#seen)) return null;
    const message =
      this.#said.length > 1
        ? `Content-Length came as ${this.#said.join(' and as ')}`
        : `Content-Length says ${said} bytes, but the body has ${this.#seen}`;
    const facts = { phase: 'body', attempts, executed, reused, server, stderr, times } as const;
    return new ProtocolError('FCGI_ERR_CONTENT_LENGTH', message, { facts });
  }
}
