/** Gathers the facts: asks php-fpm, reads what was named, and looks at this machine. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile, realpath, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { parseAddress, type Target } from '../../connection/socket/address.ts';
import { FcgiError } from '../../errors.ts';
import type { DoctorCommand } from '../args/doctor.ts';
import type { Connect } from '../connect.ts';
import { Interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { runScript } from '../php/run-script.ts';
import { reasonOf } from '../text.ts';
import { UsageError } from '../usage-error.ts';
import type { Facts, Live, PoolConf } from './facts.ts';
import { poolAt, readFpmConf } from './fpm-conf.ts';
import { followed } from './sockets.ts';

const INI = [
  'cgi.fix_pathinfo',
  'post_max_size',
  'upload_max_filesize',
  'enable_post_data_reading',
  'opcache.enable',
];

/**
 * Whose sockets they are is told by their inodes, or, where PHP may not see those, by the user. What hosts like to have in
 * `disable_functions` is asked for first: called all the same it ends the script. Where bodies go is tried, as `open_basedir` holds
 * for `is_writable()` and for uploaded files, and not for bodies; an `upload_tmp_dir` that is not there falls back to `sys_temp_dir`.
 */
const SCRIPT = `
$result['sapi'] = PHP_SAPI;
$result['version'] = PHP_VERSION;
foreach (${JSON.stringify(INI)} as $name) {
  $value = ini_get($name);
  $result['ini'][$name] = $value === false ? null : $value;
}
$result['opcache'] = extension_loaded('Zend OPcache') && filter_var(ini_get('opcache.enable'), FILTER_VALIDATE_BOOLEAN);
$upload = (string) ini_get('upload_tmp_dir');
$result['tmp'] = sys_get_temp_dir();
$result['tmpWritable'] = ($upload !== '' && is_writable($upload)) || !function_exists('tmpfile') || @tmpfile() !== false;
$result['uploads'] = $upload !== '' || (string) ini_get('open_basedir') === '' || is_writable($result['tmp']);
$own = [];
$canLook = function_exists('scandir') && function_exists('readlink');
foreach ($canLook ? @scandir('/proc/self/fd') ?: [] : [] as $fd) {
  if (preg_match('/^socket:\\\\[(\\\\d+)\\\\]$/', (string) @readlink("/proc/self/fd/$fd"), $found)) $own[$found[1]] = true;
}
$uid = function_exists('posix_geteuid') ? (string) posix_geteuid() : null;
$peers = null;
foreach (['tcp', 'tcp6'] as $family) {
  foreach (function_exists('file') ? @file("/proc/self/net/$family") ?: [] : [] as $line) {
    $peers = $peers ?? [];
    $columns = preg_split('/\\\\s+/', trim($line));
    if (count($columns) < 10 || $columns[3] !== '01') continue;
    $mine = $own === [] ? $columns[7] === $uid : isset($own[$columns[9]]);
    if ($mine) $peers[] = hexdec(substr(strrchr($columns[2], ':'), 1));
  }
}
$result['peers'] = $own === [] && $uid === null ? null : $peers;
`;

/** `root`: of nginx's configuration. Throws where a file that was named cannot be read. */
export async function collectFacts(
  command: DoctorCommand,
  root: string | null,
  io: Io,
  connect: Connect,
): Promise<Facts> {
  const target = parseAddress(command.address);
  const pools = command.fpmConf === null ? null : await readPools(resolve(io.cwd, command.fpmConf));
  const asked = await ask(command, target, io, connect);
  return {
    target,
    connections: command.connections,
    processes: command.processes,
    ...asked,
    pool: pools === null ? null : (poolAt(pools, target) ?? poolAt(pools, followed(target))),
    listens: pools?.map(({ settings: { listen = '' } }) => listen) ?? null,
    somaxconn: isHere(target) ? await somaxconn() : null,
    socketMode: target.transport === 'unix' ? await modeOf(target.path) : null,
    linkedRoot: root !== null && (await isLinked(root)) ? root : null,
  };
}

async function readPools(file: string): Promise<PoolConf[]> {
  try {
    return await readFpmConf(file);
  } catch (error) {
    throw new UsageError(`--fpm-conf: ${reasonOf(error)}`);
  }
}

type Asked = Pick<Facts, 'unreachable' | 'notRun' | 'live' | 'direct'>;

async function ask(command: DoctorCommand, target: Target, io: Io, connect: Connect): Promise<Asked> {
  const ports: number[] = [];
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once('connect', () => ports.push(socket.localPort ?? 0));
  };
  // Node's own: it tells of each socket that is opened, ours for this question among them.
  subscribe('net.client.socket', onSocket);
  try {
    const result = await runScript(command, SCRIPT, io, connect);
    const { peers } = result;
    const known = target.transport === 'tcp' && Array.isArray(peers);
    const direct = known ? ports.some((port) => peers.includes(port)) : null;
    return { unreachable: null, notRun: null, live: result as unknown as Live, direct };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const reason = reasonOf(error);
    // what `--timeout` has ended is told in words of its own
    const failure = [error, error instanceof Error ? error.cause : null].find(
      (one) => one instanceof FcgiError,
    );
    if (!failure) return { unreachable: null, notRun: reason, live: null, direct: null };
    const { code, phase } = failure;
    return { unreachable: { reason, code, phase }, notRun: null, live: null, direct: null };
  } finally {
    unsubscribe('net.client.socket', onSocket);
  }
}

function isHere(target: Target): boolean {
  return target.transport === 'unix' || /^(?:127\.|localhost$|::1$)/.test(target.host);
}

async function somaxconn(): Promise<number | null> {
  const text = await readFile('/proc/sys/net/core/somaxconn', 'utf8').catch(() => '');
  return /^\d+\n?$/.test(text) ? Number(text) : null;
}

async function modeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mode }) => mode & 0o777,
    () => null,
  );
}

async function isLinked(root: string): Promise<boolean> {
  return realpath(root).then(
    (real) => real !== resolve(root),
    () => false,
  );
}
