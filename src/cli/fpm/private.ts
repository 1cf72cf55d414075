/**
 * A php-fpm of our own: on a socket in a folder that only we can enter, gone with all its files when we are.
 * This folder: a php-fpm of our own: found, configured, supervised, stopped.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { socketFolder } from '../../socket-path.ts';
import type { FpmUser } from './accounts.ts';
import { cgiArguments, cgiEnvironment } from './cgi.ts';
import { type FpmSetup, fpmArguments, fpmConfig, socketName } from './config.ts';
import { Guard } from './guard.ts';
import { Master } from './master.ts';
import { Supervisor } from './supervisor.ts';
import { idsOf, uidOf } from './user.ts';

export interface PrivateFpmOptions extends Omit<FpmSetup, 'statusPath'> {
  readonly env: NodeJS.ProcessEnv;
  /** Where PHP is started; scripts see their own folder all the same. */
  readonly cwd: string;
  /** A line of php-fpm's own, safe to print. */
  readonly say: (line: string) => void;
  /** A line that PHP or a script has written, as it came. */
  readonly php: (line: string) => void;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  /** Called when its process is there; again with each later one. */
  readonly launched?: () => void;
  /** Ends the start; who has started goes on. */
  readonly stop?: AbortSignal;
}

export interface PrivateFpm {
  /** `unix:/...` */
  readonly address: string;
  /** `pm.status_path`. */
  readonly statusPath: string;
  /** Resolves when php-fpm cannot be kept running. */
  readonly gaveUp: Promise<Error>;
  /** Ends it, at the latest `limit` milliseconds from now, and removes its files. */
  stop(limit: number): Promise<void>;
  /** Ends it at once; the files go with the guard. */
  kill(): void;
}

/** An access list, too, shows as bits for the group. */
const WRITABLE_BY_OTHERS = 0o022;

/** Resolves when it accepts connections; rejects with php-fpm's own words where it does not start. */
export async function startPrivateFpm(options: PrivateFpmOptions): Promise<PrivateFpm> {
  // Told by systemd's build of php-fpm, our own service manager would take it for us.
  const { NOTIFY_SOCKET: _, FPM_SOCKETS: __, LISTEN_FDS: ___, LISTEN_PID: ____, ...given } = options.env;
  const env = await withUsableTemp(given, options.user);
  const folder = await socketFolder('fastcgi-pool-', socketName);
  const setup: FpmSetup = { ...options, statusPath: `/${randomBytes(16).toString('hex')}` };
  let guard: Guard | null = null;
  const socket = join(folder, socketName);
  const configFile = join(folder, 'php-fpm.conf');
  const { kind, path: program } = options.program;
  // php-fpm changes users by itself
  const ids = kind === 'php-cgi' && options.user ? await idsOf(options.user) : null;
  const how =
    kind === 'php-fpm'
      ? { args: fpmArguments(setup, folder, configFile), env, stopSignal: 'SIGQUIT' as const, ids }
      : {
          args: cgiArguments(setup, socket),
          env: cgiEnvironment(setup, env),
          stopSignal: 'SIGTERM' as const,
          ids,
        };
  const supervisor = new Supervisor({
    name: kind,
    launch: () => {
      if (kind === 'php-fpm') putBack(configFile, fpmConfig(setup));
      return new Master({
        program,
        ...how,
        cwd: options.cwd,
        socket,
        say: options.say,
        php: options.php,
        kill: options.kill,
      });
    },
    running: (group) => {
      // Behind the first start: the first page waits for that.
      guard ??= new Guard(folder);
      guard.watch(group);
      options.launched?.();
    },
    say: options.say,
  });
  const cleanUp = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await guard?.release();
  };
  const giveUp = (): void => supervisor.kill();
  try {
    // the socket is made by whoever runs PHP
    if (ids) await chown(folder, ids.uid, ids.gid);
    if (kind === 'php-fpm') await writeFile(configFile, fpmConfig(setup), { mode: 0o600 });
    options.stop?.throwIfAborted();
    options.stop?.addEventListener('abort', giveUp);
    await supervisor.start();
  } catch (error) {
    await cleanUp();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${kind} (${program}) did not start: ${reason}`, { cause: error });
  } finally {
    options.stop?.removeEventListener('abort', giveUp);
  }
  return {
    address: `unix:${socket}`,
    statusPath: setup.statusPath,
    gaveUp: supervisor.gaveUp,
    async stop(limit) {
      await supervisor.stop(limit);
      await cleanUp();
    },
    kill: () => supervisor.kill(),
  };
}

/** What cleans /tmp leaves a socket at which somebody listens, but takes a file that nobody has read for days. */
function putBack(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch {
    // It is there; or php-fpm says what is not.
  }
}

/**
 * PHP puts uploads and sessions into TMPDIR. One that is root's alone, as pam_tmpdir makes it, takes none of another user: without it PHP
 * has the system's.
 */
async function withUsableTemp(env: NodeJS.ProcessEnv, user: FpmUser | null): Promise<NodeJS.ProcessEnv> {
  const { TMPDIR: temp, ...others } = env;
  if (temp === undefined || user === null) return env;
  // of a user that there is not php-fpm itself complains
  const [uid, info] = await Promise.all([uidOf(user).catch(() => 0), stat(temp).catch(() => null)]);
  const isClosed = info !== null && uid !== 0 && uid !== info.uid && (info.mode & WRITABLE_BY_OTHERS) === 0;
  return isClosed ? others : env;
}
