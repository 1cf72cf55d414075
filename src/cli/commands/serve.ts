/**
 * `serve`: an HTTP server for a PHP application, until a signal ends it.
 * This folder: one file a command: what it does once its options are known.
 */
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { ServeCommand } from '../args/serve.ts';
import type { Connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import type { Frontend } from '../serve/frontend.ts';
import { certificate } from '../serve/http/tls.ts';
import { PHP_LIMIT } from '../serve/limits.ts';
import { AccessLog } from '../serve/log/access-log.ts';
import { LogFile } from '../serve/log/log-file.ts';
import { LossyLog } from '../serve/log/lossy-log.ts';
import { PhpLog } from '../serve/log/php-log.ts';
import { OwnFpms } from '../serve/own-fpm.ts';
import { type Prepared, prepare } from '../serve/prepare/prepare.ts';
import { warnOfUnreachable } from '../serve/reachable.ts';
import { StopSignals } from '../serve/stop-signals.ts';
import { reasonOf } from '../text.ts';
import { UsageError } from '../usage-error.ts';

/** Else it is ended after TimeoutStartSec without any reason that its own log would have. */
const NOT_NOTIFIED =
  'NOTIFY_SOCKET is set: with Type=notify systemd waits for a message that is not sent; say Type=exec in the unit';

/** What a second signal has to end. */
interface Running {
  fpms: OwnFpms | null;
  frontend: Frontend | null;
}

export async function serve(command: ServeCommand, io: Io, connect: Connect | null): Promise<number> {
  const signals = new StopSignals(io);
  const running: Running = { fpms: null, frontend: null };
  try {
    const life = live(command, io, connect, signals.first, running);
    const ended = await Promise.race([life, signals.second.then((status) => ({ status }))]);
    if (typeof ended === 'number') return ended;
    // What it says of being cut off is of no interest.
    life.catch(() => {});
    running.frontend?.destroy();
    running.fpms?.kill();
    return ended.status;
  } finally {
    signals.forget();
  }
}

async function live(
  given: ServeCommand,
  io: Io,
  connect: Connect | null,
  asked: Promise<void>,
  running: Running,
): Promise<number> {
  const prepared = await Promise.race([prepare(given, io), asked.then(() => null)]);
  // the module of --config may wait for something
  if (prepared === null) return given.check ? 1 : 0;
  const { command, sites } = prepared;
  const err = new LossyLog(io.stderr);
  const say = (line: string): void => err.write(`fastcgi-pool: ${line}\n`);
  const logFile = command.accessLog === null ? null : openLog(command.accessLog, io, say);
  const forget = io.onReopen(() => void reopen(prepared, io, logFile, running, say));
  const php = new PhpLog(err, io.hasColors);
  const stop = new AbortController();
  void asked.then(() => stop.abort());
  const starting = OwnFpms.launch(sites, command.workers, io, stop.signal, {
    say: (line) => err.write(`${line}\n`),
    php: (line) => php.logged(line),
  });
  try {
    // php-fpm starts on another core meanwhile
    const loading = starting.launched.then(() => import('../serve/frontend.ts'));
    const [fpms, { singleProcess, workerProcesses }] = await Promise.all([starting.ready, loading]);
    running.fpms = fpms;
    if (command.check) return await check(prepared, io);
    for (const { command: site } of sites) void warnOfUnreachable(site.upstream, io);
    const log = command.quiet ? null : new AccessLog(logFile ?? io.stdout, command);
    const logger = { say, php: php.ofRequest.bind(php) };
    const make = command.workers > 1 ? workerProcesses : singleProcess;
    const frontend = await make({ prepared, php: fpms.php, io, connect, logger, log });
    running.frontend = frontend;
    try {
      for (const url of await frontend.start()) io.stdout.write(`${url}\n`);
      if (io.env['NOTIFY_SOCKET']) say(NOT_NOTIFIED);
      const broken = await Promise.race([asked, fpms.gaveUp, frontend.gaveUp]);
      const unanswered = await frontend.drain(command.drainTimeout);
      log?.flush();
      if (broken instanceof Error) throw broken;
      if (unanswered !== null) throw new Error(unanswered);
      return 0;
    } finally {
      await frontend.close();
    }
  } catch (error) {
    // asked to end before PHP was there
    if (running.fpms === null && stop.signal.aborted) return command.check ? 1 : 0;
    throw error;
  } finally {
    forget();
    await running.fpms?.stop(PHP_LIMIT);
    php.flush();
    await endOf(logFile);
  }
}

function openLog(path: string, io: Io, say: (line: string) => void): LogFile {
  try {
    return new LogFile(resolve(io.cwd, path), (error) =>
      say(`the access log cannot be written: ${reasonOf(error)}`),
    );
  } catch (error) {
    throw new UsageError(`--access-log '${path}' cannot be opened: ${reasonOf(error)}`);
  }
}

function endOf(stream: Writable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream) stream.end(() => resolve());
    else resolve();
  });
}

/** SIGUSR1, as with nginx: logs that were moved away, and a certificate that was renewed. What cannot be had stays as it was. */
async function reopen(
  { command }: Prepared,
  io: Io,
  logFile: LogFile | null,
  running: Running,
  say: (line: string) => void,
): Promise<void> {
  try {
    logFile?.reopen();
  } catch (error) {
    say(`--access-log '${command.accessLog}' cannot be opened anew: ${reasonOf(error)}`);
  }
  try {
    if (typeof command.tls === 'object' && command.tls !== null) {
      running.frontend?.renew(await certificate(command.tls, io.cwd, say));
    }
  } catch (error) {
    say(reasonOf(error));
  }
}

/** `--check`: all that can be known before the first request is right. */
async function check({ sites, addresses }: Prepared, io: Io): Promise<number> {
  const { tryListening } = await import('../serve/http/listen-on.ts');
  for (const address of addresses) await tryListening(address);
  const reached = await Promise.all(sites.map(({ command }) => warnOfUnreachable(command.upstream, io)));
  if (reached.includes(false)) return 1;
  await print(io.stdout, 'all is well\n');
  return 0;
}
