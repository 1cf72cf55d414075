/** Which php-fpm of this machine to start: the newest, wherever its packager put it; where there is none, which php-cgi. */
import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { basename, delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../usage-error.ts';

export interface FpmProgram {
  readonly path: string;
  readonly kind: 'php-fpm' | 'php-cgi';
  readonly version: readonly [major: number, minor: number, patch: number];
}

/** Debian: php-fpm8.4; Alpine and Arch: php-fpm84; all others: php-fpm. */
const programNames = {
  'php-fpm': /^php-?fpm-?(\d+(\.\d+)?)?$/,
  'php-cgi': /^php-?cgi-?(\d+(\.\d+)?)?(\.exe)?$/,
} as const;

type Kind = keyof typeof programNames;

/** As each says it of itself. */
const sapis: ReadonlyMap<string, Kind> = new Map([
  ['fpm-fcgi', 'php-fpm'],
  ['cgi-fcgi', 'php-cgi'],
]);

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** `*` is any folder: Remi's collections, cPanel, Plesk, Homebrew. */
const patterns = [
  '/opt/*/sbin',
  '/opt/*/root/usr/sbin',
  '/opt/*/*/root/usr/sbin',
  '/opt/*/php/*/sbin',
  '/opt/homebrew/opt/*/sbin',
  '/usr/local/opt/*/sbin',
];

const run = promisify(execFile);

/**
 * `wanted`: the value of --php, such as `8.3`; null: the newest. Throws where there is none, with what to do about it.
 * `system`: where programs are, beside `searchPath`.
 */
export async function findFpm(
  searchPath: string | undefined,
  wanted: string | null,
  system: readonly string[] = [...folders, ...patterns],
): Promise<FpmProgram> {
  const others: FpmProgram[] = [];
  for (const kind of ['php-fpm', 'php-cgi'] as const) {
    const programs = await programsOf(kind, searchPath, wanted, system);
    const newest = newestOf(programs.filter((one) => isWanted(one, wanted)));
    if (newest) return newest;
    others.push(...programs);
  }
  if (others.length > 0) {
    const found = others.map(({ path, version }) => `${version.join('.')} (${path})`);
    throw new UsageError(`--php ${wanted}: no such PHP found; there is ${found.join(', ')}`);
  }
  throw new Error(
    'no php-fpm found in PATH, the sbin folders and /opt, and no php-cgi; install it (Debian, Ubuntu: apt install ' +
      'php-fpm), or name one by --fpm, or one that runs already by --upstream',
  );
}

async function programsOf(
  kind: Kind,
  searchPath: string | undefined,
  wanted: string | null,
  system: readonly string[],
): Promise<FpmProgram[]> {
  const candidates = await candidatesIn(searchPath, system, programNames[kind]);
  const [only, ...others] = candidates;
  // to ask one for its version takes as long as to start it: half a second where the machine is busy
  const named = only !== undefined && others.length === 0 ? namedVersion(kind, only) : null;
  if (named && isWanted(named, wanted)) return [named];
  return (await Promise.all(candidates.map(probe)))
    .filter((one) => one?.kind === kind)
    .filter((one) => one !== null);
}

/** Files that can be run, each once, whatever links lead to it. */
async function candidatesIn(
  searchPath: string | undefined,
  system: readonly string[],
  name: RegExp,
): Promise<string[]> {
  const all = await foldersOf(searchPath, system);
  const found = (await Promise.all(all.map((folder) => programsIn(folder, name)))).flat();
  const real = await Promise.all(found.map(runnable));
  const byFile = new Map<string, string>();
  found.forEach((path, nth) => {
    const file = real[nth] ?? null;
    if (file !== null && !byFile.has(file)) byFile.set(file, path);
  });
  return [...byFile.values()];
}

/** Each once. */
async function foldersOf(searchPath: string | undefined, system: readonly string[]): Promise<string[]> {
  const inPath = (searchPath ?? '').split(delimiter).filter((folder) => folder !== '');
  const expanded = await Promise.all(system.map(expand));
  return [...new Set([...inPath, ...expanded.flat()])];
}

/** Its real path; null: it cannot be run. */
async function runnable(path: string): Promise<string | null> {
  try {
    await access(path, constants.X_OK);
    return await realpath(path);
  } catch {
    return null;
  }
}

/** Debian's names say it: `php-fpm8.2`. */
function namedVersion(kind: Kind, path: string): FpmProgram | null {
  const [, major, minor] = /-?(\d)\.(\d{1,2})$/.exec(basename(path)) ?? [];
  return major === undefined ? null : { path, kind, version: [Number(major), Number(minor), 0] };
}

function isWanted({ version }: FpmProgram, wanted: string | null): boolean {
  return wanted === null || `${version.join('.')}.`.startsWith(`${wanted}.`);
}

/** The program that was named by --fpm: a path, or as in a shell a name that is looked for where php-fpm is. */
export async function givenFpm(
  cwd: string,
  given: string,
  searchPath?: string,
  system: readonly string[] = [...folders, ...patterns],
): Promise<FpmProgram> {
  const isName = !given.includes('/') && given !== '';
  const places = isName ? [cwd, ...(await foldersOf(searchPath, system))] : [cwd];
  for (const place of places) {
    const program = await probe(resolve(place, given));
    if (program) return program;
  }
  throw new UsageError(`--fpm '${given}' is not a php-fpm or php-cgi that can be run`);
}

/** The first of those with the highest version. */
export function newestOf(programs: readonly FpmProgram[]): FpmProgram | undefined {
  return [...programs].sort((a, b) => {
    return b.version[0] - a.version[0] || b.version[1] - a.version[1] || b.version[2] - a.version[2];
  })[0];
}

async function programsIn(folder: string, name: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((one) => name.test(one)).map((one) => join(folder, one));
}

async function expand(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    if (part !== '*') {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const inside = await Promise.all(
      found.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => join(folder, name))),
    );
    found = inside.flat();
  }
  return found;
}

/** Null where the file is neither, or one that does not start here. */
async function probe(path: string): Promise<FpmProgram | null> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['-v'], { timeout: 5000 });
    return parseVersion(path, stdout);
  } catch {
    return null;
  }
}

/** `PHP 8.2.36 (fpm-fcgi) (built: ...)`; a php says (cli). */
function parseVersion(path: string, text: string): FpmProgram | null {
  const [, major, minor, patch, sapi = ''] = /^PHP (\d+)\.(\d+)\.(\d+)\S* \(([a-z-]+)\)/.exec(text) ?? [];
  const kind = sapis.get(sapi);
  if (kind === undefined) return null;
  return { path, kind, version: [Number(major), Number(minor), Number(patch)] };
}
