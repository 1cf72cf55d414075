/** Timers as promises. Durations in milliseconds. */

/** Beyond it Node's timers overflow, and would fire at once. */
export const MAX_DELAY = 2_147_483_647;

/** Resolves after `duration`, or as soon as `signal` is aborted. */
export function delay(duration: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(duration, MAX_DELAY));
    signal?.addEventListener('abort', done);
  });
}

/** Waits for `work`, but no longer than `limit`. Resolves with true if the work is done, with false if the time is over. */
export async function settlesWithin(limit: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const done = await Promise.race([work.then(() => true), delay(limit, timer.signal).then(() => false)]);
  timer.abort();
  return done;
}
