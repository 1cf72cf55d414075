/**
 * The whole command line as a function: it never exits the process, and never throws.
 * This folder: the command line; the only one that prints or touches the process. It imports everything but
 * index.ts.
 */
import nodeModule from 'node:module';
import { ArgumentError } from '../errors.ts';
import { type Command, parseCommand } from './args.ts';
import type { Connect } from './connect.ts';
import { Interrupted } from './interrupted.ts';
import type { Io } from './io.ts';
import { print } from './output.ts';
import { reasonOf } from './text.ts';
import { UsageError } from './usage-error.ts';

/**
 * Resolves with the exit status: 0 done, 1 failed, 2 bad input, 128 + N ended by signal N. What went wrong has been
 * said in one line on stderr. `argv` is without the program's own name. `connect`: null for the real one.
 */
export async function run(argv: readonly string[], io: Io, connect: Connect | null = null): Promise<number> {
  let where = 'fastcgi-pool';
  try {
    const command = parseCommand(argv);
    where = `fastcgi-pool: ${command.name}`;
    return await runCommand(command, io, connect);
  } catch (error) {
    await print(io.stderr, `${where}: ${reasonOf(error)}\n`);
    if (error instanceof Interrupted) return error.exitStatus;
    return error instanceof UsageError || error instanceof ArgumentError ? 2 : 1;
  }
}

/** Each command loads no more than it needs: the first page of `serve` waits for all that is loaded before. */
async function runCommand(command: Command, io: Io, connect: Connect | null): Promise<number> {
  switch (command.name) {
    case 'serve':
      return (await import('./commands/serve.ts')).serve(command, io, connect);
    case 'request':
      return (await import('./commands/request.ts')).request(command, io, await real(connect));
    case 'ping':
      return (await import('./commands/fpm-pages.ts')).ping(command, io, await real(connect));
    case 'status':
      return (await import('./commands/fpm-pages.ts')).status(command, io, await real(connect));
    case 'top':
      return (await import('./commands/top.ts')).top(command, io, await real(connect));
    case 'doctor':
      return (await import('./commands/doctor.ts')).doctor(command, io, await real(connect));
    case 'opcache':
      return (await import('./commands/opcache.ts')).opcache(command, io, await real(connect));
    case 'help':
      await print(io.stdout, command.text);
      return 0;
    case 'version':
      await print(io.stdout, `${version()}\n`);
      return 0;
  }
}

async function real(connect: Connect | null): Promise<Connect> {
  return connect ?? (await import('./connect.ts')).connect;
}

function version(): string {
  // By the package's own name: the way there is the same from src and from dist, wherever the bundler put us.
  const own: unknown = nodeModule.createRequire(import.meta.url)('fastcgi-pool/package.json');
  return typeof own === 'object' && own !== null && 'version' in own ? String(own.version) : 'unknown';
}
