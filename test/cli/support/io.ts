/** The process as a command sees it, in memory: what is typed, said, and signalled. */
import { type ChildProcess, fork } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Io, StopSignal } from '../../../src/cli/io.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { kill } from './kill.ts';

const bin = fileURLToPath(new URL('../../../dist/cli/bin.js', import.meta.url));

export class FakeIo implements Io {
  readonly stdin: Readable;
  stdout: PassThrough = new PassThrough();
  readonly stderr: PassThrough = new PassThrough();
  env: Readonly<Record<string, string | undefined>> = process.env;
  readonly pid: number = process.pid;
  hasColors = false;
  readonly cwd: string;
  isRoot: boolean = process.getuid?.() === 0;
  readonly #reopeners = new Set<() => void>();
  readonly #listeners = new Set<(signal: StopSignal) => void>();
  #out = Buffer.alloc(0);
  #err = '';

  constructor(cwd: string, stdin: readonly (string | Uint8Array)[] = []) {
    this.cwd = cwd;
    this.stdin = Readable.from(stdin.map((piece) => Buffer.from(piece)));
    this.stdout.on('data', (chunk: Buffer) => {
      this.#out = Buffer.concat([this.#out, chunk]);
    });
    this.stderr.on('data', (chunk: Buffer) => {
      this.#err += chunk.toString();
    });
  }

  get bytes(): Buffer {
    return this.#out;
  }

  get out(): string {
    return this.#out.toString();
  }

  get err(): string {
    return this.#err;
  }

  /** Who listens for signals now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  onSignal(listener: (signal: StopSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  signal(name: StopSignal): void {
    for (const listener of this.#listeners) listener(name);
  }

  onReopen(listener: () => void): () => void {
    this.#reopeners.add(listener);
    return () => this.#reopeners.delete(listener);
  }

  /** SIGUSR1. */
  reopen(): void {
    for (const listener of this.#reopeners) listener();
  }

  /** The program as it is built: a worker is a process of its own. */
  fork(): ChildProcess {
    return fork(bin, [], { env: { ...process.env, FASTCGI_POOL_WORKER: '1' } });
  }

  kill(pid: number, signal: NodeJS.Signals): void {
    kill(pid, signal);
  }

  /** Resolves with the first match in what has been written to stdout. */
  async said(pattern: RegExp): Promise<string> {
    return waitFor(() => pattern.exec(this.out)?.[0], {
      what: `${pattern} on stdout; stderr: ${this.#err}`,
      timeout: 20_000,
    });
  }

  async complained(pattern: RegExp): Promise<string> {
    return waitFor(() => pattern.exec(this.#err)?.[0], { what: `${pattern} on stderr`, timeout: 20_000 });
  }
}
