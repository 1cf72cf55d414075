/**
 * All that can be wrong with what was typed is found here, before anything is started.
 * This folder: from options to sites whose folders are there. It starts nothing.
 */
import type { ServeCommand } from '../../args/serve.ts';
import type { Io } from '../../io.ts';
import { UsageError } from '../../usage-error.ts';
import type { Site } from '../handler.ts';
import { besideIpv4, type ListenAddress, nameOf, systemdSockets } from '../http/listen-address.ts';
import { type Certificate, certificate } from '../http/tls.ts';
import { isUnixSocket } from '../http/unix-fd.ts';
import { viteRoot } from '../vite.ts';
import { folderOf, needFrontController } from './folders.ts';
import { configured } from './read-config.ts';

export interface Prepared {
  readonly command: ServeCommand;
  readonly sites: readonly Site[];
  readonly addresses: readonly ListenAddress[];
  readonly certificate: Certificate | null;
  /** Where the application has its Vite; null: without --dev. */
  readonly viteRoot: string | null;
}

/** Throws a UsageError. */
export async function prepare(given: ServeCommand, io: Io): Promise<Prepared> {
  const command = await configured(given, io.cwd);
  try {
    return await prepared(command, io);
  } catch (error) {
    if (given.config === null || !(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message} (--config '${given.config}')`);
  }
}

async function prepared(command: ServeCommand, io: Io): Promise<Prepared> {
  if (command.dev && (command.workers > 1 || command.sites.length > 1)) {
    throw new UsageError('--dev is for one site and one process; it does not go with --workers and sites');
  }
  needEachOnce(command.listen ?? []);
  const hasTls = command.tls !== null;
  const passed = systemdSockets(io.env, io.pid, (fd) => hasTls && !isUnixSocket(fd));
  const standard = { host: '127.0.0.1', port: 8080, tls: hasTls };
  const sites: Site[] = [];
  for (const site of command.sites) {
    const root = await folderOf(io.cwd, 'DOCROOT', site.docroot);
    const linked = await Promise.all(
      site.allowSymlinksTo.map((folder) => folderOf(io.cwd, '--allow-symlinks-to', folder)),
    );
    await needFrontController(root, site.frontController, linked);
    sites.push({ command: site, root, linked });
  }
  const warn = (line: string): void => {
    io.stderr.write(`fastcgi-pool: ${line}\n`);
  };
  return {
    command,
    sites,
    addresses:
      command.listen || passed.length > 0 ? [...passed, ...besideIpv4(command.listen ?? [])] : [standard],
    viteRoot: command.dev ? viteRoot(sites[0]?.root ?? io.cwd) : null,
    certificate: command.tls === null ? null : await certificate(command.tls, io.cwd, warn),
  };
}

/** Else it would be told of a port that is in use, and look for who has it. */
function needEachOnce(addresses: readonly ListenAddress[]): void {
  const names = addresses.filter((one) => !('port' in one) || one.port > 0).map(nameOf);
  const twice = names.find((name, nth) => names.indexOf(name) !== nth);
  if (twice !== undefined) throw new UsageError(`--listen ${twice} is there twice`);
}
