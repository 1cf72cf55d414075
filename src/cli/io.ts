/**
 * The process as the commands see it. Only bin.ts makes one from the real process, so that a test can run any
 * command inside its own.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** What asks `serve` to end; a second one ends it at once. */
export type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGTERM';

export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** stderr is a terminal that shows colours. */
  readonly hasColors: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** What relative paths are relative to. */
  readonly cwd: string;
  readonly isRoot: boolean;
  /** Calls `listener` on each signal until the function it returns is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** The same for SIGUSR1: logs are to be opened anew. */
  onReopen(listener: () => void): () => void;
  /** Sends a signal to a process, or to a process group by its negative id; one that is gone is no error. */
  kill(pid: number, signal: NodeJS.Signals): void;
  /** Starts this program once more, as a worker that takes its orders by messages; see workers/worker.ts. */
  fork(): ChildProcess;
}
