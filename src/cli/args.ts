/** argv to a command, as a value. Pure: a wrong one is a UsageError, and nothing has happened yet. */

import { type DoctorCommand, doctorHelp, parseDoctor } from './args/doctor.ts';
import {
  type PingCommand,
  parsePing,
  parseStatus,
  pingHelp,
  type StatusCommand,
  statusHelp,
} from './args/fpm-pages.ts';
import { nearest } from './args/nearest.ts';
import { type OpcacheCommand, opcacheHelp, parseOpcache } from './args/opcache.ts';
import { parseRequest, type RequestCommand, requestHelp } from './args/request.ts';
import { parseServe, type ServeCommand } from './args/serve.ts';
import { serveHelp } from './args/serve-help.ts';
import { parseTop, type TopCommand, topHelp } from './args/top.ts';
import { UsageError } from './usage-error.ts';

export type Command =
  | ServeCommand
  | RequestCommand
  | PingCommand
  | StatusCommand
  | OpcacheCommand
  | DoctorCommand
  | TopCommand
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'version' };

interface Entry {
  readonly help: string;
  readonly parse: (args: readonly string[]) => Command;
}

const commands: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ['serve', { help: serveHelp, parse: (args) => parseServe(args) }],
  ['request', { help: requestHelp, parse: parseRequest }],
  ['ping', { help: pingHelp, parse: parsePing }],
  ['status', { help: statusHelp, parse: parseStatus }],
  ['top', { help: topHelp, parse: parseTop }],
  ['doctor', { help: doctorHelp, parse: parseDoctor }],
  ['opcache', { help: opcacheHelp, parse: parseOpcache }],
]);

const help = `Usage: fastcgi-pool COMMAND [options]

  serve [DOCROOT]         an HTTP server for a PHP application
  request ADDRESS SCRIPT  one request straight to PHP-FPM
  ping ADDRESS            does PHP-FPM answer?
  status ADDRESS          PHP-FPM's status page as a table
  top ADDRESS|URL         how PHP-FPM, or a pool, is doing, again and again
  doctor ADDRESS          what does not go with a pool, and what to change
  opcache status|reset ADDRESS
                          PHP-FPM's opcache, shown or emptied

  COMMAND --help          the options of a command
  --version               the version of fastcgi-pool

Exit status: 0 done, 1 failed, 2 bad input, 128 + N ended by signal N.
`;

/** `argv` without the program's own name. */
export function parseCommand(argv: readonly string[]): Command {
  const [name, ...args] = argv;
  if (name === undefined) throw new UsageError('COMMAND is missing (try: fastcgi-pool --help)');
  if (name === '--help' || name === '-h' || name === 'help') return { name: 'help', text: helpFor(args) };
  if (name === '--version' || name === '-V') return { name: 'version' };
  const command = commands.get(name);
  if (command === undefined) {
    const isOption = name.startsWith('-');
    const known = isOption ? ['--help', '--version'] : commands.keys();
    const likely = nearest(name, known);
    const meant = likely === null ? '' : `: is ${likely} meant?`;
    throw new UsageError(
      `unknown ${isOption ? 'option' : 'command'} '${name}'${meant} (try: fastcgi-pool --help)`,
    );
  }
  if (asksForHelp(args)) return { name: 'help', text: command.help };
  try {
    return command.parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${name}: ${error.message} (try: fastcgi-pool ${name} --help)`);
  }
}

function helpFor([name]: readonly string[]): string {
  return commands.get(name ?? '')?.help ?? help;
}

/** Whatever else is wrong: somebody who asks for help is not told about a missing argument. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const words = end === -1 ? args : args.slice(0, end);
  return words.includes('--help') || words.includes('-h');
}
