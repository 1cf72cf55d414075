/** `serve` of the built package, as people start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Serve {
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** `dist`: the folder of the built package. */
export async function startServe(dist: URL, root: string, args: readonly string[]): Promise<Serve> {
  const bin = fileURLToPath(new URL('cli/bin.js', dist));
  const child = spawn(process.execPath, [bin, 'serve', root, '--listen', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    gone.then(() => Promise.reject(new Error('serve did not start'))),
  ]);
  return {
    url: String(line).trim(),
    process: child,
    async stop() {
      child.kill();
      await gone;
    },
  };
}
