/** The program as it is built, in a process of its own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childrenOf } from '../../fpm/support/fpm.ts';
import { waitFor, within } from '../../fpm/support/wait.ts';

export const bin: string = fileURLToPath(new URL('../../../dist/cli/bin.js', import.meta.url));

export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  out: string;
  err: string;
  /** Status or signal. */
  readonly ended: Promise<unknown>;
  /** SIGTERM; resolves with the status. */
  stop(): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function start(
  args: readonly string[],
  options: SpawnOptions,
  command: string = process.execPath,
): Program {
  const child = spawn(command, [...args], options);
  const ended = once(child, 'close').then(([status, signal]) => status ?? signal);
  const program: Program = {
    child,
    pid: child.pid ?? 0,
    out: '',
    err: '',
    ended,
    async stop() {
      child.kill('SIGTERM');
      return within(ended, 20_000, 'the end of the program');
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    program.out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    program.err += chunk;
  });
  return program;
}

/** `fastcgi-pool serve` at a free port. */
export async function startServe(
  cwd: string,
  args: readonly string[],
): Promise<Program & { readonly url: string }> {
  const program = start([bin, 'serve', '--listen', '127.0.0.1:0', ...args], { cwd, env: process.env });
  const url = await firstUrl(program);
  return Object.assign(program, { url });
}

export function firstUrl(program: Program): Promise<string> {
  const ended = program.ended.then((status) => {
    throw new Error(`it ended with ${String(status)}: ${program.err}`);
  });
  ended.catch(() => {});
  const said = waitFor(() => /^https?:\S+(?=\n)/.exec(program.out)?.[0], { what: 'a URL', timeout: 25_000 });
  return Promise.race([said, ended]);
}

/** The processes below one: php-fpm, its workers and the guard. */
export function family(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...family(child)]);
}
