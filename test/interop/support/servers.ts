/** FastCGI servers that are not PHP-FPM, each with a program of its own, private and of several processes. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Child, need } from '../../fpm/support/child.ts';
import { accepts } from '../../fpm/support/http-server.ts';
import { tempDir } from '../../fpm/support/temp.ts';
import { waitFor } from '../../fpm/support/wait.ts';

export interface Running extends AsyncDisposable {
  /** 'unix:/...'. */
  readonly address: string;
  readonly endpoint: { readonly path: string };
  /** SCRIPT_FILENAME, for those who look at it. */
  readonly script: string;
  /** RUNS_LOG. */
  readonly log: string;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type ServerName =
  | 'C libfcgi'
  | 'Perl FCGI'
  | 'CGI::Fast'
  | 'Plack'
  | 'Mojolicious'
  | 'Ruby fcgi'
  | 'Go'
  | 'uWSGI (Python)'
  | 'fcgiwrap'
  | 'php-cgi';

type Recipe = (socket: string, folder: string) => Promise<Command> | Command;

/** Of each server. */
export const PROCESSES = 8;

/** With a listening socket as standard input; whoever dies is started anew. */
const SPAWN = `exec 3<&0; for i in ${'1 '.repeat(PROCESSES)}; do (while :; do "$0" "$@" <&3; sleep 0.02; done) & done; wait`;

function spawned(socket: string, command: string, ...args: string[]): Command {
  const shell = ['/bin/sh', '-c', SPAWN, command, ...args];
  return { command: need('spawn-fcgi'), args: ['-n', '-s', socket, '-b', '511', '--', ...shell] };
}

function perl(script: string): Recipe {
  return (socket) => spawned(socket, need('perl'), `-I${program('')}`, program(script));
}

async function compiled(folder: string, command: string, ...args: string[]): Promise<string> {
  const path = join(folder, 'responder');
  await promisify(execFile)(command, ['-O1', '-o', path, ...args]);
  return path;
}

const recipes: Readonly<Record<ServerName, Recipe>> = {
  'C libfcgi': async (socket, folder) =>
    spawned(socket, await compiled(folder, need('gcc'), program('responder.c'), '-lfcgi')),
  'Perl FCGI': perl('fcgi.pl'),
  'CGI::Fast': perl('fast.pl'),
  Plack: perl('plack.pl'),
  Mojolicious: perl('mojo.pl'),
  'Ruby fcgi': (socket) => spawned(socket, need('ruby'), program('responder.rb')),
  Go: async (socket, folder) =>
    spawned(socket, await compiled(folder, need('gccgo'), program('responder.go'))),
  'uWSGI (Python)': (socket) => ({
    command: need('uwsgi'),
    args: [
      ...['--plugin', 'python3', '--fastcgi-socket', socket, '--wsgi-file', program('wsgi.py')],
      ...['--master', '--processes', String(PROCESSES), '--listen', '100', '--die-on-term'],
    ],
  }),
  fcgiwrap: (socket) => ({
    command: '/bin/sh',
    args: [
      '-c',
      'while :; do rm -f "$2"; "$0" -c "$1" -s "unix:$2"; sleep 0.02; done',
      need('fcgiwrap'),
      String(PROCESSES),
      socket,
    ],
  }),
  'php-cgi': (socket) => ({
    command: need('php-cgi'),
    args: ['-b', socket, '-d', 'cgi.force_redirect=0', '-d', 'cgi.fix_pathinfo=0'],
    env: { PHP_FCGI_CHILDREN: String(PROCESSES) },
  }),
};

export const SERVERS: readonly ServerName[] = Object.keys(recipes) as ServerName[];

const scripts: Partial<Record<ServerName, string>> = { fcgiwrap: 'cgi.sh', 'php-cgi': 'responder.php' };

/** Resolves when it accepts connections. `more`: of its environment. */
export async function startServer(
  name: ServerName,
  more: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const folder = tempDir('interop-');
  const socket = join(folder.path, 's');
  const log = join(folder.path, 'runs.log');
  const recipe: Recipe = recipes[name];
  try {
    const { command, args, env } = await recipe(socket, folder.path);
    const child = await Child.start({
      command,
      args,
      cwd: folder.path,
      env: { ...env, ...more, RUNS_LOG: log },
      ready: () => waitFor(() => accepts({ path: socket }), { what: `${name} listening` }),
    });
    return {
      address: `unix:${socket}`,
      endpoint: { path: socket },
      script: program(scripts[name] ?? ''),
      log,
      [Symbol.asyncDispose]: async () => {
        await child.stop();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

function program(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
}
