/**
 * One private server process: started in the foreground in a process group of its own, ready when it says so,
 * stopped as a group, and gone even when the test run is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram, howToInstall, type ProgramName } from '../../setup/programs.mjs';
import { onExit } from './temp.ts';
import { within } from './wait.ts';

/** The path of a server's program, or an error that says what to install. */
export function need(name: ProgramName): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`${name} is not installed: ${howToInstall([name])}`);
  return found;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The line of its log that says it serves; or a look at the outside, where it says nothing. */
  readonly ready: RegExp | (() => Promise<unknown>);
  readonly cwd?: string;
  /** Besides ours. */
  readonly env?: Readonly<Record<string, string>>;
}

const READY_TIMEOUT = 20_000;
const STOP_TIMEOUT = 2000;

// SIGKILL on a test run leaves no time for a clean-up: the kernel then ends the server for us.
const SETPRIV = '/usr/bin/setpriv';

export class Child {
  readonly #options: ChildOptions;
  readonly #process: ChildProcess;
  readonly #forget: () => void;
  readonly #exited: Promise<void>;
  readonly #watchers = new Set<() => void>();
  #log = '';

  private constructor(options: ChildOptions) {
    this.#options = options;
    const tied = existsSync(SETPRIV);
    this.#process = spawn(
      tied ? SETPRIV : options.command,
      tied ? ['--pdeathsig', 'TERM', options.command, ...options.args] : [...options.args],
      {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#forget = onExit(() => this.#killGroup());
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
        for (const look of this.#watchers) look();
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.once('error', (error) => {
        this.#log += String(error);
        resolve();
      });
    });
  }

  /** Starts it; resolves when it serves, rejects with its log when it ends before that. */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options);
    try {
      const { ready } = options;
      await Promise.race([
        ready instanceof RegExp
          ? child.said(ready)
          : within(ready(), READY_TIMEOUT, `${options.command} serving`),
        child.#exited.then(() => {
          throw new Error(`${options.command} ended before it was ready:\n${child.log}`);
        }),
      ]);
    } catch (error) {
      await child.stop();
      throw error;
    }
    return child;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** All it has written to stdout and stderr so far. */
  get log(): string {
    return this.#log;
  }

  /** Settles when the process has ended, whoever ended it. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Resolves when the log, from character `from` on, matches. */
  async said(pattern: RegExp, from = 0, timeout: number = READY_TIMEOUT): Promise<void> {
    let watch: (() => void) | undefined;
    const heard = new Promise<void>((resolve) => {
      watch = () => {
        if (pattern.test(this.#log.slice(from))) resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
    try {
      await within(heard, timeout, `${this.#options.command} saying ${pattern}`);
    } catch (error) {
      throw new Error(`${String(error)}; its log:\n${this.#log}`);
    } finally {
      if (watch) this.#watchers.delete(watch);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGTERM, then SIGKILL to all its processes; resolves when the main one is gone. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    try {
      await within(this.#exited, STOP_TIMEOUT, `${this.#options.command} ending`);
    } catch {
      // The group's SIGKILL below ends it.
    }
    this.#killGroup();
    await this.#exited;
    this.#forget();
  }

  #killGroup(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // No process of the group is left.
    }
  }
}
