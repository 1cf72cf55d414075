/** Getting connected within connectTimeout: php-fpm may be restarting, or its backlog may be full for a moment. */
import type { Clock } from '../../connection/clock.ts';
import type { TcpSockets } from '../../connection/evidence/acknowledged.ts';
import type { Runtime } from '../../connection/runtime.ts';
import type { Target } from '../../connection/socket/address.ts';
import { type Connected, isLocalShortage, isPassing, timedOut } from '../../connection/socket/connect.ts';
import type { ReadBuffer } from '../../connection/socket/read-buffer.ts';
import { ConnectError } from '../../errors.ts';

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 250;

export interface DialOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly readBuffer: ReadBuffer;
  readonly tcpSockets: TcpSockets;
  readonly signal: AbortSignal;
  /** ms in all; 0: one try, and no limit of ours. */
  readonly timeout: number;
  /** Try again while the server refuses, has no socket, or its backlog is full. */
  readonly retryRefused: boolean;
  /** There was a connection to it before. */
  readonly known: boolean;
  /** Told of each try that failed. */
  readonly onRefused: (error: ConnectError) => void;
  /** Fresh connections that failed the same request before; the more, the longer the first pause. */
  readonly failures: number;
}

/**
 * Opens a socket, if need be after several tries with jittered pauses. A shortage of this machine (file descriptors,
 * ports, memory) is waited out in any case: no other server would help. Rejects with the signal's reason, or a
 * ConnectError: at once where another try would not help (no permission, a directory at the path, a host that was never known).
 */
export async function dial(target: Target, options: DialOptions): Promise<Connected> {
  const { runtime, clock, readBuffer, tcpSockets, signal, timeout, retryRefused, known, failures } = options;
  const deadline = clock.now() + timeout;
  let before: unknown;
  if (failures > 0) await clock.sleep(pauseAfter(failures, runtime.random), signal);
  for (let tries = 0; ; tries++) {
    const left = timeout > 0 ? Math.max(1, deadline - clock.now()) : 0;
    try {
      return await runtime.connect(target, { timeout: left, clock, readBuffer, tcpSockets, signal });
    } catch (error) {
      // It knows of the last try only, and of what was left for that.
      if (isTimeout(error)) throw timedOut(target, timeout, before);
      if (error instanceof ConnectError) options.onRefused(error);
      before = error;
      const refused = isPassing(error, known);
      const wrong = refused ? await runtime.notASocket(target) : '';
      if (wrong !== '' && error instanceof ConnectError) throw error.learn({ hint: wrong });
      const mayPass = isLocalShortage(error) || (retryRefused && refused);
      if (timeout === 0 || !mayPass) throw error;
      const delay = pauseAfter(tries, runtime.random);
      if (clock.now() + delay >= deadline) throw timedOut(target, timeout, error);
      await clock.sleep(delay, signal);
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof ConnectError && error.code === 'FCGI_ERR_CONNECT_TIMEOUT';
}

/** ms before another try, jittered; `failures` so far. */
export function pauseAfter(failures: number, random: () => number): number {
  return Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE) * (0.5 + random());
}
