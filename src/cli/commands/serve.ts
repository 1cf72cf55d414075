/**
 * `serve`: an HTTP server for a PHP application, until a signal ends it.
 * This folder: one file a command: what it does once its options are known.
 */
import type { ServeCommand } from '../args/serve.ts';
import type { Connect, ConnectOptions } from '../connect.ts';
import { findFpm, givenFpm } from '../fpm/find.ts';
import { startsBeforeBody } from '../fpm/ini.ts';
import { type PrivateFpm, startPrivateFpm } from '../fpm/private.ts';
import { chooseUser, type FpmUser } from '../fpm/user.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import { atMost } from '../pause.ts';
import { AccessLog } from '../serve/access-log.ts';
import { folderOf, needFrontController } from '../serve/folders.ts';
import { siteHandler } from '../serve/handler.ts';
import { Listener } from '../serve/listener.ts';
import { warnOfUnreachable } from '../serve/reachable.ts';
import { withStatusPage } from '../serve/status-page.ts';
import { StopSignals } from '../serve/stop-signals.ts';
import { UsageError } from '../usage-error.ts';

/** Milliseconds that php-fpm gets when all responses are out: scripts may go on after fastcgi_finish_request(). */
const FPM_STOP_LIMIT = 5000;

/** What a second signal has to end. */
interface Running {
  fpm: PrivateFpm | null;
  listener: Listener | null;
}

export async function serve(command: ServeCommand, io: Io, connect: Connect): Promise<number> {
  const signals = new StopSignals(io);
  const running: Running = { fpm: null, listener: null };
  try {
    const life = live(command, io, connect, signals.first, running);
    const ended = await Promise.race([life, signals.second.then((status) => ({ status }))]);
    if (typeof ended === 'number') return ended;
    // What it says of being cut off is of no interest.
    life.catch(() => {});
    running.listener?.cut();
    running.fpm?.kill();
    return ended.status;
  } finally {
    signals.forget();
  }
}

async function live(
  command: ServeCommand,
  io: Io,
  connect: Connect,
  asked: Promise<void>,
  running: Running,
): Promise<number> {
  const root = await folderOf(io.cwd, 'DOCROOT', command.docroot);
  const linked = await Promise.all(
    command.allowSymlinksTo.map((folder) => folderOf(io.cwd, '--allow-symlinks-to', folder)),
  );
  await needFrontController(root, command.frontController);
  const fpm = command.upstream.length > 0 ? null : await ownFpm(command, root, io);
  running.fpm = fpm;
  try {
    const addresses = fpm ? [fpm.address] : command.upstream;
    const dispatcher = connect(addresses, connectOptions(command));
    try {
      const handler = siteHandler(dispatcher, root, linked, command, io);
      if (command.check) return await check(addresses, io);
      if (!fpm) void warnOfUnreachable(addresses, io);
      const log = command.quiet ? null : new AccessLog(io.stdout, command);
      const logged = log ? log.around(handler) : handler;
      const page = withStatusPage(logged, dispatcher, command.status, fpm?.statusPath);
      const listener = new Listener(page.handler);
      running.listener = listener;
      for (const url of await listener.listen(command.listen)) io.stdout.write(`${url}\n`);
      const broken = await Promise.race([asked, ...(fpm ? [fpm.gaveUp] : [])]);
      page.close();
      const drained = await listener.drain(command.drainTimeout);
      log?.flush();
      if (broken instanceof Error) throw broken;
      if (!drained)
        throw new Error(`requests were cut after ${command.drainTimeout / 1000} s (--drain-timeout)`);
      await atMost(FPM_STOP_LIMIT, dispatcher.close());
      return 0;
    } finally {
      await dispatcher.destroy();
    }
  } finally {
    await fpm?.stop(FPM_STOP_LIMIT);
  }
}

function connectOptions(command: ServeCommand): ConnectOptions {
  const { connections, timeouts, proxied } = command;
  const backend = command.backend ?? (startsBeforeBody(command.ini) ? 'generic' : null);
  return { connections, ...timeouts, ...(proxied ? { proxied } : {}), ...(backend ? { backend } : {}) };
}

/** `--check`: all that can be known before the first request is right. */
async function check(addresses: readonly string[], io: Io): Promise<number> {
  const reached = await warnOfUnreachable(addresses, io);
  if (reached) await print(io.stdout, 'all is well\n');
  return reached ? 0 : 1;
}

async function ownFpm(command: ServeCommand, root: string, io: Io): Promise<PrivateFpm> {
  const program = command.fpm === null ? await findFpm(io.env['PATH']) : await givenFpm(io.cwd, command.fpm);
  const say = (line: string): void => {
    io.stderr.write(`${line}\n`);
  };
  return startPrivateFpm({
    program,
    children: command.connections,
    user: await userOf(command, root, io),
    ini: command.ini,
    env: io.env,
    cwd: root,
    say,
    kill: io.kill,
  });
}

async function userOf(command: ServeCommand, root: string, io: Io): Promise<FpmUser | null> {
  if (!io.isRoot) {
    if (command.user === null) return null;
    throw new UsageError('--user is for root: nobody else can start PHP as another user');
  }
  const user = await chooseUser(command.user, root);
  if (user.user === 'root') io.stderr.write('fastcgi-pool: PHP runs as root (see --user)\n');
  return user;
}
