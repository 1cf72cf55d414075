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

/** Turns of the event loop that may bring more and more connections. */
const MOST_TURNS = 100;

/**
 * Resolves when what has come to this process by now has been read: connections that wait to be accepted, and the requests that they
 * bring. `accepted`: how many there have been.
 */
export async function hasRead(accepted: () => number): Promise<void> {
  for (let turns = 0, quiet = 0, before = accepted(); quiet < 3 && turns < MOST_TURNS; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = accepted() === before ? quiet + 1 : 0;
    before = accepted();
  }
}
