/** The php-fpms of our own: one for each site without an upstream; or php-cgis where there is no php-fpm. */
import type { SiteCommand } from '../args/site.ts';
import type { Server } from '../args/upstream.ts';
import type { FpmUser } from '../fpm/accounts.ts';
import { findFpm, givenFpm } from '../fpm/find.ts';
import { type PrivateFpm, startPrivateFpm } from '../fpm/private.ts';
import type { PhpUser } from '../fpm/private-files.ts';
import { chooseUser, uidOf } from '../fpm/user.ts';
import type { Io } from '../io.ts';
import { UsageError } from '../usage-error.ts';
import { connectionsPerWorker } from './connections-per-worker.ts';
import type { Site } from './handler.ts';

export interface Logs {
  /** Of php-fpm itself. */
  readonly say: (line: string) => void;
  /** Of PHP, and of scripts. */
  readonly php: (line: string) => void;
}

/** Who runs a site's PHP. */
export interface Php {
  readonly kind: 'upstream' | 'php-fpm' | 'php-cgi';
  readonly servers: readonly Server[];
  /** `pm.status_path`; null: not known. */
  readonly statusPath: string | null;
  /** Who runs it, where we are root, and could read more than he; null: it makes no difference. */
  readonly user: PhpUser | null;
}

export class OwnFpms {
  /** Of each site. */
  readonly php: readonly Php[];
  /** Resolves when one cannot be kept running. */
  readonly gaveUp: Promise<Error>;
  readonly #running: readonly PrivateFpm[];

  private constructor(php: readonly Php[], running: readonly PrivateFpm[]) {
    this.php = php;
    this.#running = running;
    this.gaveUp = Promise.race([...running.map((one) => one.gaveUp), new Promise<never>(() => {})]);
  }

  /**
   * `launched` resolves when each has been started, or has failed to; `ready`, when all accept connections. It rejects, and
   * leaves nothing running, where one does not, or `stop` comes first.
   */
  static launch(
    sites: readonly Site[],
    workers: number,
    io: Io,
    stop: AbortSignal,
    logs: Logs,
  ): { readonly launched: Promise<unknown>; readonly ready: Promise<OwnFpms> } {
    const launched: Promise<void>[] = [];
    const started = sites.map((site) => {
      let done: () => void = () => {};
      launched.push(
        new Promise((resolve) => {
          done = resolve;
        }),
      );
      return serversOf(site, workers, io, stop, logs, done).finally(done);
    });
    return { launched: Promise.all(launched), ready: OwnFpms.#all(started) };
  }

  static async #all(starting: readonly Promise<Started>[]): Promise<OwnFpms> {
    const started = await Promise.allSettled(starting);
    const running = started.flatMap((one) => {
      return one.status === 'fulfilled' && one.value.fpm ? [one.value.fpm] : [];
    });
    const php: Php[] = [];
    for (const one of started) {
      if (one.status === 'fulfilled') php.push(one.value.php);
      else {
        await Promise.all(running.map((fpm) => fpm.stop(0)));
        throw one.reason;
      }
    }
    return new OwnFpms(php, running);
  }

  /** Ends them, at the latest `limit` milliseconds from now. */
  async stop(limit: number): Promise<void> {
    await Promise.all(this.#running.map((fpm) => fpm.stop(limit)));
  }

  kill(): void {
    for (const fpm of this.#running) fpm.kill();
  }
}

interface Started {
  readonly fpm: PrivateFpm | null;
  readonly php: Php;
}

async function serversOf(
  { command, root }: Site,
  workers: number,
  io: Io,
  stop: AbortSignal,
  logs: Logs,
  launched: () => void,
): Promise<Started> {
  if (command.upstream.length > 0) return { fpm: null, php: upstreamOf(command, io) };
  const [program, user] = await Promise.all([
    command.fpm === null
      ? findFpm(io.env['PATH'], command.php)
      : givenFpm(io.cwd, command.fpm, io.env['PATH']),
    userOf(command, root, io),
  ]);
  const fpm = await startPrivateFpm({
    program,
    // a child for each connection: a kept one holds its child
    children: connectionsPerWorker(command.connections, workers) * workers,
    user,
    ini: command.ini,
    env: io.env,
    cwd: root,
    say: logs.say,
    php: logs.php,
    launched,
    stop,
    kill: io.kill,
  });
  const statusPath = program.kind === 'php-fpm' ? fpm.statusPath : null;
  const uid = user === null ? 0 : await uidOf(user);
  const servers = [{ address: fpm.address }];
  return { fpm, php: { kind: program.kind, servers, statusPath, user: uid === 0 ? null : { uid } } };
}

function upstreamOf({ upstream, fpmStatus }: SiteCommand, io: Io): Php {
  return {
    kind: 'upstream',
    servers: upstream,
    statusPath: fpmStatus,
    user: io.isRoot ? { uid: null } : null,
  };
}

async function userOf(command: SiteCommand, root: string, io: Io): Promise<FpmUser | null> {
  if (!io.isRoot) {
    if (command.user === null) return null;
    throw new UsageError('--user is for root: nobody else can start PHP as another user');
  }
  const user = await chooseUser(command.user, root);
  if (user.user === 'root') io.stderr.write('fastcgi-pool: PHP runs as root (see --user)\n');
  return user;
}
