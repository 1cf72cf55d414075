#!/usr/bin/env node
/** The process: the only file that reads it, writes to it, or ends it. */
import { fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Io, StopSignal } from './io.ts';
import { print } from './output.ts';

/** SIGQUIT is what `docker stop` sends to containers of PHP-FPM's and nginx's images: both finish their requests then. */
const stopSignals: readonly StopSignal[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

/** Milliseconds. A log that nobody reads must not keep us alive. */
const FLUSH_LIMIT = 1000;

/** In the environment of a worker. */
const WORKER = 'FASTCGI_POOL_WORKER';

const io: Io = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  hasColors: process.stderr.isTTY && process.stderr.hasColors(),
  env: process.env,
  pid: process.pid,
  cwd: currentFolder(),
  isRoot: process.getuid?.() === 0,
  onSignal(listener) {
    for (const signal of stopSignals) process.on(signal, listener);
    return () => {
      for (const signal of stopSignals) process.off(signal, listener);
    };
  },
  onReopen(listener) {
    process.on('SIGUSR1', listener);
    return () => process.off('SIGUSR1', listener);
  },
  kill(pid, signal) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already.
    }
  },
  fork() {
    const { LISTEN_FDS: _, LISTEN_PID: __, ...env } = process.env;
    // a process manager may have imported this file: then what was started is a program of its own
    return fork(fileURLToPath(import.meta.url), [], { env: { ...env, [WORKER]: '1' } });
  },
};

// A reader that leaves (`| head`, a closed terminal) must not take the service with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

// Where nobody listens for it yet, or any more, Node would open its debugger at a port.
process.on('SIGUSR1', () => {});

const status = await (process.env[WORKER] === '1' && process.send ? work() : command());
setTimeout(() => process.exit(status), FLUSH_LIMIT);
await Promise.allSettled([print(process.stdout, ''), print(process.stderr, '')]);
process.exit(status);

/** Where it is gone, as a release is that a deploy has removed: its path as the shell knows it, so that only what is relative to it is not found. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    const { PWD = '' } = process.env;
    return PWD.startsWith('/') ? PWD : '/';
  }
}

async function command(): Promise<number> {
  const { run } = await import('./main.ts');
  return run(process.argv.slice(2), io);
}

/** Signals are for the first process, which tells us; a terminal sends them to all. */
async function work(): Promise<number> {
  for (const signal of stopSignals) process.on(signal, () => {});
  const { runWorker } = await import('./workers/worker.ts');
  return runWorker(process);
}
