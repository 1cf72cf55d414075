/** Waiting for some time, never longer than wanted. Durations in milliseconds. */

/** Beyond it Node's timers overflow, and would fire at once. */
export const LONGEST_PAUSE = 2_147_483_647;

/** Resolves after `duration`, or as soon as `signal` is aborted. */
export function pause(duration: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, Math.min(duration, LONGEST_PAUSE));
    signal?.addEventListener('abort', over);
  });
}

/** Resolves with the work, or after `limit`, whichever is first; with whether it was the work. */
export async function atMost(limit: number, work: Promise<unknown>): Promise<boolean> {
  const patience = new AbortController();
  const done = await Promise.race([work.then(() => true), pause(limit, patience.signal).then(() => false)]);
  patience.abort();
  return done;
}
