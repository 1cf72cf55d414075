/** The callbacks of the options, for one request: what a log throws must neither break its reply off nor end the process. */
import { ArgumentError } from '../errors.ts';
import { pageFor } from './reply/error-page.ts';
import type { OwnAnswer } from './reply/head.ts';
import type { EndInfo } from './reply/outcome.ts';
import type { ReplyHooks } from './reply/reply-options.ts';
import type { Settings } from './settings.ts';
import type { Warnings } from './warnings.ts';

export class RequestHooks<Req> implements ReplyHooks {
  readonly #settings: Settings<Req>;
  readonly #warnings: Warnings;
  readonly #request: Req;

  constructor(settings: Settings<Req>, warnings: Warnings, request: Req) {
    this.#settings = settings;
    this.#warnings = warnings;
    this.#request = request;
  }

  report(error: unknown, statusCode: number): void {
    const { onError } = this.#settings;
    if (onError) this.#later(() => onError(error, this.#request, statusCode));
    else if (!isClientsFault(error, statusCode)) this.#warnings.tell(error);
  }

  get hearsEnd(): boolean {
    return this.#settings.onEnd !== undefined;
  }

  ended(info: EndInfo): void {
    const { onEnd } = this.#settings;
    if (onEnd) this.#later(() => onEnd(info, this.#request));
  }

  errorPage(statusCode: number, error: unknown): OwnAnswer | null {
    const { errorPage } = this.#settings;
    if (!errorPage) return null;
    return pageFor(statusCode, errorPage, this.#request, error, (failure, code) =>
      this.report(failure, code),
    );
  }

  #later(tell: () => void): void {
    // Not the global queueMicrotask(), which tests replace: Jest's fake timers do so by default.
    void Promise.resolve().then(() => {
      try {
        tell();
      } catch (error) {
        this.#warnings.tell(error);
      }
    });
  }
}

/** For logs that have levels. */
export function isClientsFault(error: unknown, statusCode: number): boolean {
  return error instanceof ArgumentError && statusCode >= 400 && statusCode < 500;
}
