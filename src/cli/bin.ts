#!/usr/bin/env node
/** The process: the only file that reads it, writes to it, or ends it. */
import process from 'node:process';
import type { Io, StopSignal } from './io.ts';
import { run } from './main.ts';
import { print } from './output.ts';

const stopSignals: readonly StopSignal[] = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/** Milliseconds. A log that nobody reads must not keep us alive. */
const FLUSH_LIMIT = 1000;

const io: Io = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isRoot: process.getuid?.() === 0,
  onSignal(listener) {
    for (const signal of stopSignals) process.on(signal, listener);
    return () => {
      for (const signal of stopSignals) process.off(signal, listener);
    };
  },
  kill(pid, signal) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already.
    }
  },
};

// A reader that leaves (`| head`, a closed terminal) must not take the service with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const status = await run(process.argv.slice(2), io);
setTimeout(() => process.exit(status), FLUSH_LIMIT);
await Promise.allSettled([print(process.stdout, ''), print(process.stderr, '')]);
process.exit(status);
