/** The time that a request may take, as a Pool counts it: by the real clock, also where a test has mocked the timers. */
import { clearTimeout, setTimeout } from 'node:timers';
import { LONGEST_DELAY } from '../../arguments.ts';
import { TimeoutError } from '../../errors.ts';
import type { MockDispatchRequest } from './types.ts';

/** What is due next of a response. */
type Due = 'head' | 'piece' | 'nothing';

export class Limits {
  readonly #request: MockDispatchRequest;
  readonly #onLate: (error: TimeoutError) => void;
  readonly #whole: NodeJS.Timeout | null;
  #due: Due = 'nothing';
  #paused = false;
  #over = false;
  #silence: NodeJS.Timeout | null = null;

  /** `onLate` may be called more than once: for what is over it must have no effect. */
  constructor(request: MockDispatchRequest, onLate: (error: TimeoutError) => void) {
    this.#request = request;
    this.#onLate = onLate;
    const { timeout } = request;
    this.#whole = this.#after(timeout, 'FCGI_ERR_TIMEOUT', `the request took longer than ${timeout} ms`);
  }

  /** From now on this is due. */
  await(due: Due): void {
    this.#due = due;
    this.#stop();
    if (this.#over || this.#paused || due === 'nothing') return;
    const { headersTimeout, bodyTimeout } = this.#request;
    this.#silence =
      due === 'head'
        ? this.#after(
            headersTimeout,
            'FCGI_ERR_HEADERS_TIMEOUT',
            `no head of the response for ${headersTimeout} ms`,
          )
        : this.#after(
            bodyTimeout,
            'FCGI_ERR_BODY_TIMEOUT',
            `no more of the response's body for ${bodyTimeout} ms`,
          );
  }

  /** While the reader wants no more, nobody is late. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.await(this.#due);
  }

  /** It is over. */
  end(): void {
    this.#over = true;
    this.#stop();
    if (this.#whole !== null) clearTimeout(this.#whole);
  }

  #stop(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
  }

  #after(ms: number | undefined, code: TimeoutError['code'], message: string): NodeJS.Timeout | null {
    if (ms === undefined || ms === 0) return null;
    return setTimeout(() => this.#onLate(new TimeoutError(code, message)), Math.min(ms, LONGEST_DELAY));
  }
}
