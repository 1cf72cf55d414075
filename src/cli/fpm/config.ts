/** The configuration of our own php-fpm, and the arguments it is started with. */
import type { Pair } from '../args/values.ts';
import type { FpmUser } from './accounts.ts';
import type { FpmProgram } from './find.ts';
import { iniArgument } from './ini.ts';

/** In the private folder, which php-fpm has as its prefix. */
export const socketName = 'php-fpm.sock';

export interface FpmSetup {
  readonly program: FpmProgram;
  readonly children: number;
  /** Null where we are not root: php-fpm could not change users then, and says so. */
  readonly user: FpmUser | null;
  readonly ini: readonly Pair[];
  /** Of its status page: one that no request of a visitor can name. */
  readonly statusPath: string;
}

export function fpmConfig({ program, children, user, statusPath }: FpmSetup): string {
  const [major, minor] = program.version;
  const modern = major > 7 || (major === 7 && minor >= 3);
  const lines = [
    '[global]',
    // Its log goes to stderr (--force-stderr), but the file it is configured with is opened all the same.
    'error_log = /dev/null',
    'daemonize = no',
    'log_level = notice',
    // Of a longer message only the beginning would be logged.
    ...(modern ? ['log_limit = 16384'] : []),
    '[www]',
    `listen = ${socketName}`,
    'listen.mode = 0600',
    // As many as we open connections: a kept connection holds its worker.
    'pm = static',
    `pm.max_children = ${children}`,
    `pm.status_path = ${statusPath}`,
    // As with `php -S`: DATABASE_URL=... fastcgi-pool serve
    'clear_env = no',
    // php://stderr, and what PHP logs: see fastcgi.logging below.
    'catch_workers_output = yes',
    ...(modern ? ['decorate_workers_output = no'] : []),
  ];
  if (user) lines.push(`user = ${user.user}`, `group = ${user.group}`);
  return `${lines.join('\n')}\n`;
}

export function fpmArguments({ user, ini }: FpmSetup, folder: string, configFile: string): string[] {
  const args = ['--nodaemonize', '--force-stderr', '--prefix', folder, '--fpm-config', configFile];
  if (user?.user === 'root') args.push('--allow-to-run-as-root');
  // Messages come with the request that wrote them; they are in php-fpm's log as well, with those that no request gets.
  args.push('-d', 'fastcgi.logging=1');
  for (const setting of ini) args.push('-d', iniArgument(setting));
  return args;
}
