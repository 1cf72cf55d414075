/**
 * The whole command line as a function: it never exits the process, and never throws.
 * This folder: the command line; the only one that prints or touches the process. It imports everything but
 * index.ts.
 */
import { createRequire } from 'node:module';
import { ArgumentError } from '../errors.ts';
import { type Command, parseCommand } from './args.ts';
import { doctor } from './commands/doctor.ts';
import { ping, status } from './commands/fpm-pages.ts';
import { opcache } from './commands/opcache.ts';
import { request } from './commands/request.ts';
import { serve } from './commands/serve.ts';
import { top } from './commands/top.ts';
import { type Connect, connect as connectFor } from './connect.ts';
import type { Io } from './io.ts';
import { print } from './output.ts';
import { reasonOf } from './text.ts';
import { UsageError } from './usage-error.ts';

/**
 * Resolves with the exit status: 0 done, 1 failed, 2 bad input, 128 + N ended by signal N. What went wrong has been
 * said in one line on stderr. `argv` is without the program's own name.
 */
export async function run(argv: readonly string[], io: Io, connect: Connect = connectFor): Promise<number> {
  let where = 'fastcgi-pool';
  try {
    const command = parseCommand(argv);
    where = `fastcgi-pool: ${command.name}`;
    return await runCommand(command, io, connect);
  } catch (error) {
    await print(io.stderr, `${where}: ${reasonOf(error)}\n`);
    return error instanceof UsageError || error instanceof ArgumentError ? 2 : 1;
  }
}

async function runCommand(command: Command, io: Io, connect: Connect): Promise<number> {
  switch (command.name) {
    case 'serve':
      return serve(command, io, connect);
    case 'request':
      return request(command, io, connect);
    case 'ping':
      return ping(command, io, connect);
    case 'status':
      return status(command, io, connect);
    case 'top':
      return top(command, io, connect);
    case 'doctor':
      return doctor(command, io, connect);
    case 'opcache':
      return opcache(command, io, connect);
    case 'help':
      await print(io.stdout, command.text);
      return 0;
    case 'version':
      await print(io.stdout, `${version()}\n`);
      return 0;
  }
}

function version(): string {
  // By the package's own name: the way there is the same from src and from dist, wherever the bundler put us.
  const own: unknown = createRequire(import.meta.url)('fastcgi-pool/package.json');
  return typeof own === 'object' && own !== null && 'version' in own ? String(own.version) : 'unknown';
}
