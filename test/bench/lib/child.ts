/** The servers of the bench are processes of their own, so that each one's CPU and memory are its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface Child {
  readonly process: ChildProcess;
  /** What it said when it was ready: an address. */
  readonly address: string;
  /** Bytes of memory now, and at most so far. */
  memory(): { now: number; most: number };
  stop(): Promise<void>;
}

/** Starts `name`.js of the bundle; it sends its address when it is ready. */
export async function startChild(bundle: URL, name: string, args: readonly string[]): Promise<Child> {
  const child = fork(new URL(`${name}.js`, bundle), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [address] = await once(child, 'message');
  return {
    process: child,
    address: String(address),
    memory: () => memoryOf(child.pid ?? 0),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

/** Bytes: VmRSS and VmHWM of Linux. */
export function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return { now: kib('VmRSS') * 1024, most: kib('VmHWM') * 1024 };
}
