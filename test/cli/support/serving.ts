/** `fastcgi-pool serve` inside the test's own process. */

import type { StopSignal } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/main.ts';
import { within } from '../../fpm/support/wait.ts';
import { FakeIo } from './io.ts';

export interface Serving {
  readonly io: FakeIo;
  readonly url: string;
  /** The exit status. */
  readonly ended: Promise<number>;
  /** Sends a signal; resolves with the exit status. */
  stop(signal?: StopSignal): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves when it has printed its URL; a free port, unless `args` say otherwise. */
export async function serve(cwd: string, args: readonly string[]): Promise<Serving> {
  const io = new FakeIo(cwd);
  let status: number | undefined;
  const ended = run(['serve', '--listen', '127.0.0.1:0', ...args], io).then((code) => {
    status = code;
    return code;
  });
  const stop = (signal: StopSignal = 'SIGTERM'): Promise<number> => {
    io.signal(signal);
    return within(ended, 20_000, 'the end of serve');
  };
  const early = ended.then((code) => Promise.reject(new Error(`serve ended with ${code}: ${io.err}`)));
  const url = await Promise.race([io.said(/^http:\/\/\S+(?=\n)/m), early]);
  early.catch(() => {});
  return {
    io,
    url,
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      if (status === undefined) await stop();
    },
  };
}

/** serve is expected to end by itself: bad input, or an environment that does not allow it. */
export async function serveInVain(
  cwd: string,
  args: readonly string[],
): Promise<{ status: number; err: string }> {
  const io = new FakeIo(cwd);
  const status = await within(
    run(['serve', '--listen', '127.0.0.1:0', ...args], io),
    20_000,
    'the end of serve',
  );
  return { status, err: io.err };
}
