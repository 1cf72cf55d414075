/** Waiting for something to become true, and never for ever. */
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds until it gives up. Default 20,000. */
  readonly timeout?: number;
  /** What is being waited for, for the error's text. */
  readonly what?: string;
}

/**
 * Resolves with the first value that is neither undefined, null nor false. It looks again every 2 ms, for what
 * gives no event of its own: the state of another process. Where there is an event, use within().
 */
export async function waitFor<T>(
  look: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const { timeout = 20_000, what = 'the condition' } = options;
  const end = performance.now() + timeout;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) {
      return seen as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > end) throw new Error(`${what} did not come about within ${timeout} ms`);
    await delay(2);
  }
}

/** The promise, or an error that says what did not happen after `timeout` ms. */
export async function within<T>(promise: Promise<T>, timeout: number, what: string): Promise<T> {
  const stop = new AbortController();
  const late = delay(timeout, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} did not happen within ${timeout} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
  }
}
