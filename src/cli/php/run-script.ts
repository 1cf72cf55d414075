/**
 * Runs a few lines of PHP in a running php-fpm, from a file that is there for that moment only. It lies in no document root: in
 * a folder that nobody can list, under a name that nobody can guess, readable as php-fpm's user is not known.
 * This folder: PHP of our own in somebody else's php-fpm.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FcgiResponse } from '../../pool/dispatcher.ts';
import type { Peer } from '../args/peer.ts';
import type { Connect } from '../connect.ts';
import { exchange } from '../exchange.ts';
import { Interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { printable } from '../text.ts';

export interface ScriptLocation {
  readonly address: string;
  /** ms; 0: no limit. */
  readonly timeout: number;
  readonly peer: Peer;
  /** Where the file is put; null: a folder for temporary files that php-fpm can read. */
  readonly dir: string | null;
  /** `dir` as php-fpm sees it; null: the same. */
  readonly fpmDir: string | null;
}

/** php-fpm may have a /tmp of its own (systemd's PrivateTmp). */
const FOLDERS = ['/var/tmp', '/dev/shm'];

/** There is no script, or it may not be run: another folder may do. */
const UNREADABLE = [403, 404];

/**
 * `source`: PHP statements that leave what is to be told in `$result`. Resolves with that, by way of JSON.
 * Throws where php-fpm runs it nowhere.
 */
export async function runScript(
  location: ScriptLocation,
  source: string,
  io: Io,
  connect: Connect,
): Promise<Readonly<Record<string, unknown>>> {
  const folders = location.dir === null ? [...new Set([tmpdir(), ...FOLDERS])] : [location.dir];
  const tried: string[] = [];
  for (const folder of folders) {
    const found = await runIn(folder, location, source, io, connect);
    if (typeof found !== 'string') return found;
    tried.push(`${folder}: ${found}`);
  }
  throw new Error(
    `php-fpm cannot run a script in ${tried.join('; in ')} (name a folder that it can read by --dir; in a container or a chroot also --fpm-dir)`,
  );
}

/** Why it did not run, where another folder may do. */
async function runIn(
  folder: string,
  location: ScriptLocation,
  source: string,
  io: Io,
  connect: Connect,
): Promise<Readonly<Record<string, unknown>> | string> {
  const token = randomBytes(16).toString('hex');
  let own: string;
  try {
    own = await mkdtemp(join(folder, 'fastcgi-pool-'));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const interrupted = interruption(io);
  try {
    const name = `${randomBytes(16).toString('hex')}.php`;
    await writeFile(join(own, name), scriptOf(source, token), { mode: 0o644 });
    // whatever the umask is
    await chmod(join(own, name), 0o644);
    await chmod(own, 0o711);
    const seen = location.fpmDir === null ? own : join(location.fpmDir, own.slice(folder.length));
    const params = {
      SCRIPT_FILENAME: join(seen, name),
      SCRIPT_NAME: `/${name}`,
      REQUEST_METHOD: 'GET',
      REQUEST_URI: `/${name}`,
      QUERY_STRING: '',
      SERVER_PROTOCOL: 'HTTP/1.1',
      GATEWAY_INTERFACE: 'CGI/1.1',
    };
    const { address, timeout, peer } = location;
    const ran = exchange(connect, address, timeout, peer, { params }, (response) =>
      resultIn(response, token),
    );
    return await Promise.race([ran, interrupted.happened]);
  } finally {
    interrupted.forget();
    await rm(own, { recursive: true, force: true });
  }
}

function scriptOf(source: string, token: string): string {
  return `<?php
error_reporting(0);
$result = [];
try {
${source}
header('Content-Type: application/json');
echo '${token}', json_encode($result, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), '${token}';
} catch (\\Throwable $error) {
  // a function that is disabled, say
  echo '${token}', '!', $error->getMessage(), '${token}';
}
`;
}

/** Begins where the script has run, and failed. */
export const UNFINISHED = 'the script that was put there did not come to its end';

/** Whatever auto_prepend_file writes around it. */
async function resultIn(
  response: FcgiResponse,
  token: string,
): Promise<Readonly<Record<string, unknown>> | string> {
  const text = await response.body.text();
  const result = text.split(token)[1];
  if (result?.startsWith('!')) throw new Error(`${UNFINISHED}: ${printable(result.slice(1, 200))}`);
  if (result !== undefined) return JSON.parse(result) as Readonly<Record<string, unknown>>;
  const said = printable(text.trim().slice(0, 100));
  const answer = `it answered ${response.statusCode}${said === '' ? '' : ` ${said}`}`;
  if (!UNREADABLE.includes(response.statusCode)) throw new Error(`${UNFINISHED}: ${answer}`);
  const { hint } = await response.ended;
  // in another folder its name would end in .php as well
  if (hint.includes('security.limit_extensions')) throw new Error(`${answer}: ${hint}`);
  return hint.includes('open_basedir') ? `${answer} (not below open_basedir)` : answer;
}

/** A signal must not leave the file behind. */
function interruption(io: Io): { readonly happened: Promise<never>; forget(): void } {
  let forget = (): void => {};
  const happened = new Promise<never>((_, reject) => {
    forget = io.onSignal((signal) => reject(new Interrupted(signal)));
  });
  happened.catch(() => {});
  return { happened, forget };
}
