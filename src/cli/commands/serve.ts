/** `serve`: an HTTP server for a PHP application, until a signal ends it. */
import { resolve } from 'node:path';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { ServeCommand } from '../args/serve.ts';
import type { Connect } from '../connect.ts';
import { findFpm, givenFpm } from '../fpm/find.ts';
import { type PrivateFpm, startPrivateFpm } from '../fpm/private.ts';
import { chooseUser, type FpmUser } from '../fpm/user.ts';
import type { Io } from '../io.ts';
import { atMost } from '../pause.ts';
import { AccessLog } from '../serve/access-log.ts';
import { type Docroot, openDocroot } from '../serve/docroot.ts';
import { Listener } from '../serve/listener.ts';
import { phpHandler } from '../serve/php.ts';
import { type Handler, siteHandler } from '../serve/site.ts';
import { StopSignals } from '../serve/stop-signals.ts';
import { printable, reasonOf } from '../text.ts';
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
  const docroot = await openDocroot(io.cwd, command.docroot, command.allowSymlinksTo, (link, target) => {
    const [from, to] = [printable(link), printable(target)];
    io.stderr.write(
      `fastcgi-pool: not served: ${from} links out of DOCROOT, to ${to} (--allow-symlinks-to)\n`,
    );
  });
  await needFrontController(docroot, command.frontController);
  const fpm = command.upstream.length > 0 ? null : await ownFpm(command, docroot, io);
  running.fpm = fpm;
  try {
    const dispatcher = connect(fpm ? [fpm.address] : command.upstream, { connections: command.connections });
    try {
      const listener = new Listener(handlerOf(command, docroot, dispatcher, io));
      running.listener = listener;
      io.stdout.write(`${await listener.listen(command.listen)}\n`);
      const broken = await Promise.race([asked, ...(fpm ? [fpm.gaveUp] : [])]);
      const drained = await listener.drain(command.drainTimeout);
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

function handlerOf(command: ServeCommand, docroot: Docroot, dispatcher: Dispatcher, io: Io): Handler {
  const site = { docroot, index: command.index, hasFrontController: command.frontController !== null };
  const php = phpHandler(dispatcher, docroot.root, { ...command, ...absolute(command, io.cwd) }, io);
  const handler = siteHandler(site, php, (error) => io.stderr.write(`fastcgi-pool: ${reasonOf(error)}\n`));
  if (command.quiet) return handler;
  const log = new AccessLog(io.stdout);
  return (req, res) => {
    log.watch(req, res);
    handler(req, res);
  };
}

function absolute(command: ServeCommand, cwd: string): Pick<ServeCommand, 'allowSymlinksTo'> {
  return { allowSymlinksTo: command.allowSymlinksTo.map((folder) => resolve(cwd, folder)) };
}

async function needFrontController(docroot: Docroot, path: string | null): Promise<void> {
  if (path === null || (await docroot.look(path)).kind === 'file') return;
  throw new UsageError(`--front-controller '${path}' is no file in DOCROOT`);
}

async function ownFpm(command: ServeCommand, docroot: Docroot, io: Io): Promise<PrivateFpm> {
  const program = command.fpm === null ? await findFpm(io.env['PATH']) : await givenFpm(io.cwd, command.fpm);
  const say = (line: string): void => {
    io.stderr.write(`${line}\n`);
  };
  return startPrivateFpm({
    program,
    children: command.connections,
    user: await userOf(command, docroot, io),
    ini: command.ini,
    env: io.env,
    cwd: docroot.root,
    say,
    kill: io.kill,
  });
}

async function userOf(command: ServeCommand, docroot: Docroot, io: Io): Promise<FpmUser | null> {
  if (!io.isRoot) {
    if (command.user === null) return null;
    throw new UsageError('--user is for root: nobody else can start PHP as another user');
  }
  const user = await chooseUser(command.user, docroot.root);
  if (user.user === 'root') io.stderr.write('fastcgi-pool: PHP runs as root (see --user)\n');
  return user;
}
