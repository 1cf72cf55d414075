/**
 * Where nobody has asked to be told, the process says it, once: the only file of the library that speaks to the process.
 * Without it a developer whose PHP-FPM is down sees a 502 and an empty console.
 */
import { emitWarning } from 'node:process';
import { errorCode, errorText, FcgiError, isError } from '../errors.ts';

/** ms in which a cause is told once. */
const pause = 60_000;

/** Causes that are remembered; they are codes, so there are few. */
const most = 100;

export class Warnings {
  readonly #told = new Map<string, { until: number; more: number }>();

  tell(error: unknown, now: number = performance.now()): void {
    const cause = causeOf(error);
    const before = this.#told.get(cause);
    if (before && now < before.until) {
      before.more++;
      return;
    }
    if (this.#told.size >= most) this.#told.clear();
    this.#told.set(cause, { until: now + pause, more: 0 });
    const hint = error instanceof FcgiError && error.hint !== '' ? ` (${error.hint})` : '';
    const more = before && before.more > 0 ? ` ${before.more} more like it since the last warning.` : '';
    const message = `A request to PHP failed: ${textOf(error)}${hint}.${more} Set onError to hear of each.`;
    emitWarning(message, { type: 'FastcgiPoolWarning', code: cause });
  }
}

function causeOf(error: unknown): string {
  return errorCode(error) || (isError(error) ? error.name : typeof error);
}

function textOf(error: unknown): string {
  return errorText(error);
}
