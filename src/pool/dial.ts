/** Getting connected within connectTimeout: php-fpm may be restarting, or its backlog may be full for a moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../connection/socket/address.ts';
import { type Connected, connect, isPassing, misplaced, timedOut } from '../connection/socket/connect.ts';
import type { ReadBuffer } from '../connection/socket/read-buffer.ts';
import { ConnectError } from '../errors.ts';

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 250;

export interface DialOptions {
  /** ms in all; 0: one try, and no limit of ours. */
  readonly timeout: number;
  /** Try again while the server refuses, has no socket, or its backlog is full. */
  readonly retryRefused: boolean;
  /** Fresh connections that failed the same request before; the more, the longer the first pause. */
  readonly failures: number;
}

/**
 * Opens a socket, if need be after several tries with jittered pauses. Rejects with the signal's reason, or a
 * ConnectError: at once where another try would not help (no permission, a directory at the path, an unknown host).
 */
export async function dial(
  target: Target,
  options: DialOptions,
  inbox: ReadBuffer,
  signal: AbortSignal,
): Promise<Connected> {
  const { timeout, retryRefused, failures } = options;
  const deadline = performance.now() + timeout;
  if (failures > 0) await pauseFor(jittered(Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE)), signal);
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const left = deadline - performance.now();
    try {
      return await connect(target, timeout > 0 ? Math.max(1, left) : 0, inbox, signal);
    } catch (error) {
      if (timeout === 0 || !retryRefused || !isPassing(error)) throw error;
      await checkPlace(target, error);
      const delay = jittered(pause);
      if (performance.now() + delay >= deadline) throw timedOut(target, timeout, error);
      await pauseFor(delay, signal);
    }
  }
}

async function checkPlace(target: Target, error: unknown): Promise<void> {
  const wrong = await misplaced(target);
  if (wrong !== '' && error instanceof ConnectError) throw error.learn({ hint: wrong });
}

async function pauseFor(delay: number, signal: AbortSignal): Promise<void> {
  await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function jittered(pause: number): number {
  return pause * (0.5 + Math.random());
}
