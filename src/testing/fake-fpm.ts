/**
 * A PHP-FPM without PHP, in this process: a real socket, FastCGI on the wire, workers that behave as PHP-FPM's do on
 * a kept connection, and a function in place of the script. For tests of anything that talks to PHP-FPM.
 */
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { socketFolder } from '../socket-path.ts';
import { ExactSocket } from './exact-socket.ts';
import { type FakeFpmOptions, type FakeFpmSettings, resolveOptions } from './options.ts';
import type { FakeRequest } from './script.ts';
import { Worker } from './worker.ts';

export interface FakeFpm extends AsyncDisposable {
  /** `unix:/…/fpm.sock` or `127.0.0.1:port`: what a Pool takes. */
  readonly address: string;
  /** Connections that workers hold now. */
  readonly connections: number;
  /** Connections in the backlog now: no worker is free for them. */
  readonly waiting: number;
  /** Connections that workers have accepted, since the start. */
  readonly accepted: number;
  /** Requests whose script has started, in that order. */
  readonly requests: readonly FakeRequest[];
  /** Settles when `requests` is at least so long. */
  executed(count: number): Promise<void>;
  /** Closes the connections that wait for a request, as a worker does that is killed while idle. */
  closeIdle(): void;
  /**
   * SIGUSR2. With `processControlTimeout` as PHP-FPM does it with that setting. Without it something of both: idle connections
   * are closed now, others after their request, without a look at what came behind it.
   */
  reload(): void;
  /**
   * Closes the socket and every connection, without waiting for scripts. Rejects with what a script has thrown, the
   * first error if several have. Calling it again gives the same promise.
   */
  stop(): Promise<void>;
}

/**
 * Starts one; it accepts connections when the promise resolves. Rejects with an ArgumentError (FCGI_ERR_INVALID_ARG)
 * that names the option, or with what `listen` fails with.
 * Bun has no sockets for it: there is MockDispatcher.
 *
 * @example
 * await using fpm = await startFakeFpm({
 *   script: async (request, response) => {
 *     await response.stdout(`Status: 201\r\nContent-type: text/plain\r\n\r\n${await request.text()}`);
 *   },
 * });
 * const pool = new Pool(fpm.address);
 */
export async function startFakeFpm(options: FakeFpmOptions = {}): Promise<FakeFpm> {
  const settings = resolveOptions(options);
  if ('Bun' in globalThis)
    throw new Error(
      'startFakeFpm() reads no byte before a worker wants it, and the sockets of Bun cannot: use Node.js, or a MockDispatcher',
    );
  const directory = settings.transport === 'unix' ? await socketFolder('fake-fpm-', SOCKET) : null;
  const fpm = new Master(settings, directory);
  try {
    await fpm.listen();
  } catch (error) {
    if (directory !== null) await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return fpm;
}

const SOCKET = 'fpm.sock';

class Master implements FakeFpm {
  address = '';
  accepted = 0;
  readonly requests: FakeRequest[] = [];
  readonly #directory: string | null;
  readonly #server: Server;
  readonly #settings: FakeFpmSettings;
  readonly #workers: Worker[];
  readonly #backlog: Socket[] = [];
  readonly #errors: unknown[] = [];
  readonly #watchers: Set<() => void> = new Set();
  /** Runs while old workers are waited for. */
  #reloading: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;

  constructor(settings: FakeFpmSettings, directory: string | null) {
    this.#settings = settings;
    this.#directory = directory;
    // Paused: what a client sends must stay in the kernel until a worker wants it.
    const accept = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
    this.#server = createServer(accept, (socket) => {
      this.#backlog.push(socket);
      if (this.#stopped) this.#refuse();
      else this.#assign();
    });
    this.#workers = Array.from({ length: settings.workers }, () => this.#newWorker());
  }

  get connections(): number {
    return this.#workers.filter((worker) => !worker.free).length;
  }

  get waiting(): number {
    return this.#backlog.length;
  }

  async listen(): Promise<void> {
    const path = this.#directory === null ? null : join(this.#directory, SOCKET);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path === null ? { host: '127.0.0.1', port: 0 } : { path }, () => resolve());
    });
    const bound = this.#server.address();
    this.address = typeof bound === 'object' && bound !== null ? `127.0.0.1:${bound.port}` : `unix:${bound}`;
  }

  executed(count: number): Promise<void> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        if (this.requests.length < count) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  closeIdle(): void {
    for (const worker of this.#workers) worker.closeIdle();
  }

  reload(): void {
    // PHP-FPM has no ear for a second one before the first is done.
    if (this.#reloading || this.#stopped) return;
    const { processControlTimeout } = this.#settings;
    if (processControlTimeout === 0) {
      this.#killWorkers();
      return;
    }
    for (const worker of this.#workers) {
      worker.retire();
      if (processControlTimeout === null) worker.closeIdle();
    }
    if (processControlTimeout === null || !this.#isAnybodyRetiring()) return;
    this.#reloading = setTimeout(() => this.#killWorkers(), processControlTimeout).unref();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #newWorker(): Worker {
    return new Worker(this.#settings, {
      onExecuted: (request) => {
        this.requests.push(request);
        for (const watcher of this.#watchers) watcher();
      },
      onScriptError: (error) => this.#errors.push(error),
    });
  }

  #isAnybodyRetiring(): boolean {
    return this.#workers.some((worker) => worker.retiring);
  }

  /** And others in their places. */
  #killWorkers(): void {
    for (const worker of this.#workers.splice(0)) {
      worker.kill();
      this.#workers.push(this.#newWorker());
    }
    this.#endReload();
    this.#assign();
  }

  #endReload(): void {
    clearTimeout(this.#reloading ?? undefined);
    this.#reloading = null;
  }

  /** A reload with time for what runs starts the new workers when the last of the old ones is gone. */
  #assign(): void {
    if (this.#reloading && !this.#isAnybodyRetiring()) this.#endReload();
    if (this.#reloading || this.#stopped) return;
    for (const worker of this.#workers) {
      if (!worker.free) continue;
      const socket = this.#backlog.shift();
      if (!socket) return;
      this.accepted += 1;
      void worker.serve(new ExactSocket(socket), this.accepted).then(() => this.#assign());
    }
  }

  #refuse(): void {
    for (const socket of this.#backlog.splice(0)) socket.destroy();
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#endReload();
    this.#refuse();
    for (const worker of this.#workers) worker.kill();
    await closed;
    if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true });
    if (this.#errors.length > 0) throw this.#errors[0];
  }
}
