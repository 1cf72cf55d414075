/** A real PHP-FPM of one's own, for one test: private socket, private document root, stopped with its workers. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Child, need } from './child.ts';
import { type FpmOptions, fpmArguments, fpmConfig } from './fpm-config.ts';
import { freePort, tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

export type { FpmOptions } from './fpm-config.ts';

/** The params of a plain GET for one script; spread and overwrite what the test is about. */
export type ScriptParams = {
  SCRIPT_FILENAME: string;
  SCRIPT_NAME: string;
  DOCUMENT_ROOT: string;
  REQUEST_METHOD: string;
  REQUEST_URI: string;
  QUERY_STRING: string;
  SERVER_PROTOCOL: string;
  GATEWAY_INTERFACE: string;
};

export interface Fpm {
  /** 'unix:/...' or 'host:port'. */
  readonly address: string;
  /** The same for net.connect(). */
  readonly endpoint: { readonly path: string } | { readonly host: string; readonly port: number };
  /** The document root, removed by stop(). */
  readonly root: string;
  /** The master's; changes with restart(). */
  readonly pid: number;
  /** The workers' pids. */
  workers(): Promise<number[]>;
  /**
   * SIGUSR2; resolves when the new generation says it is ready. Busy workers are killed, or waited for within
   * `processControlTimeout`.
   */
  reload(): Promise<void>;
  /** Sends a signal to the master. */
  kill(signal: NodeJS.Signals): void;
  /** Stops it and starts it anew on the same address and root. */
  restart(): Promise<void>;
  /** Stops master and workers and removes all files; a second call does nothing. */
  stop(): Promise<void>;
  /** Writes a script below the root and returns the params that run it. `<?php` is added where it lacks. */
  script(name: string, source: string): ScriptParams;
  /** What it has logged so far. */
  log(): string;
  /** Resolves when it logs a line that matches (now or later). */
  said(pattern: RegExp, timeout?: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const READY = /ready to handle connections/;

/** Resolves when it accepts connections, after some 60 ms. Throws what to install where php-fpm is missing. */
export async function startFpm(options: FpmOptions = {}): Promise<Fpm> {
  const program = need('php-fpm');
  const folder = tempDir('fpm-');
  // A web server in front that gave up being root reaches the socket and the files, too.
  chmodSync(folder.path, 0o755);
  const root = join(folder.path, 'root');
  mkdirSync(root);

  const script = (name: string, source: string): ScriptParams => {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source.startsWith('<') ? source : `<?php ${source}`);
    return scriptParams(root, name);
  };
  for (const [name, source] of Object.entries(options.files ?? {})) script(name, source);

  const endpoint =
    options.transport === 'tcp'
      ? { host: options.host ?? '127.0.0.1', port: options.port ?? (await freePort()) }
      : { path: join(folder.path, 'fpm.sock') };
  const listen = 'path' in endpoint ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
  writeFileSync(join(folder.path, 'fpm.conf'), fpmConfig(folder.path, listen, options));
  const args = fpmArguments(folder.path, options);
  const start = (): Promise<Child> => Child.start({ command: program, args, ready: READY, cwd: folder.path });

  let child: Child;
  try {
    child = await start();
  } catch (error) {
    folder.remove();
    throw error;
  }

  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  return {
    address: 'path' in endpoint ? `unix:${listen}` : listen,
    endpoint,
    root,
    get pid() {
      return child.pid;
    },
    workers: async () => childrenOf(child.pid),
    async reload() {
      const from = child.log.length;
      child.kill('SIGUSR2');
      await child.said(READY, from);
    },
    kill: (signal) => child.kill(signal),
    async restart() {
      await child.stop();
      child = await start();
    },
    stop,
    script,
    log: () => child.log,
    said: (pattern, timeout) => child.said(pattern, 0, timeout),
    [Symbol.asyncDispose]: stop,
  };
}

export function scriptParams(root: string, name: string): ScriptParams {
  return {
    SCRIPT_FILENAME: join(root, name),
    SCRIPT_NAME: `/${name}`,
    DOCUMENT_ROOT: root,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: `/${name}`,
    QUERY_STRING: '',
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
  };
}

/** The first of them. Throws where there is none: 0 is to kill() the process group of the tests themselves. */
export function firstPid(pids: readonly number[]): number {
  const [first] = pids;
  if (!first) throw new Error('There is no such process');
  return first;
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  return statOf(pid)?.state !== undefined && statOf(pid)?.state !== 'Z';
}

/** Resolves when none of these processes runs any more. */
export async function gone(pids: readonly number[], timeout = 5000): Promise<void> {
  await waitFor(() => !pids.some(isAlive), { timeout, what: `the end of ${pids.join(', ')}` });
}

/** The pids of a process's children, lowest first. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statOf(pid)?.parent === parent && isAlive(pid))
    .sort((a, b) => a - b);
}

function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name stands in brackets and may itself hold blanks and brackets.
    const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
