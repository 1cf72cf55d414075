/** php-fpm.conf: its sections, with what `include` brings in. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Target } from '../../connection/socket/address.ts';
import type { PoolConf } from './facts.ts';
import { expanded, MOST_FILES } from './glob.ts';

type Settings = Record<string, string>;

/** The pools of a file and of those that it includes; throws where a file cannot be read. */
export async function readFpmConf(file: string): Promise<PoolConf[]> {
  const sections = new Map<string, Settings>([['global', {}]]);
  const state = { files: 0, section: 'global', isWhole: false };
  await readInto(file, sections, state);
  // of the file of one pool nothing can be said of [global], which is in another
  const defaults = state.isWhole ? { process_control_timeout: '0' } : {};
  const global = { ...defaults, ...sections.get('global') };
  sections.delete('global');
  return [...sections].map(([name, settings]) => {
    const own = Object.entries(settings).map(([key, value]) => [key, value.replaceAll('$pool', name)]);
    return { name, settings: { ...global, ...Object.fromEntries(own) } };
  });
}

async function readInto(
  file: string,
  sections: Map<string, Settings>,
  state: { files: number; section: string; isWhole: boolean },
): Promise<void> {
  if (++state.files > MOST_FILES) throw new Error(`${file}: more than ${MOST_FILES} files are included`);
  for (const line of linesOf(await readFile(file, 'utf8'))) {
    const section = /^\[([^\]]+)\]\s*(?:;.*)?$/.exec(line)?.[1];
    if (section !== undefined) {
      state.section = section;
      state.isWhole ||= section === 'global';
      if (!sections.has(section)) sections.set(section, {});
      continue;
    }
    const [name, value] = settingIn(line);
    if (name === 'include') {
      state.isWhole = true;
      for (const one of await included(dirname(file), value)) await readInto(one, sections, state);
    } else if (name !== '') Object.assign(sections.get(state.section) ?? {}, { [name]: value });
  }
}

/**
 * A relative one is meant from php-fpm's prefix, which is a folder above: /usr/local for /usr/local/etc/php-fpm.conf, as in Docker's
 * images.
 */
async function included(folder: string, pattern: string): Promise<string[]> {
  for (let from = folder; ; from = dirname(from)) {
    const found = (await expanded(from, pattern)).filter((file) => existsSync(file));
    if (found.length > 0) return found;
    if (from === dirname(from)) return expanded(folder, pattern);
  }
}

/** Pure: the lines that say something. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith(';') && !line.startsWith('#'));
}

/** `name = value ; comment`. */
export function settingIn(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  if (at < 0) return ['', ''];
  const value = line.slice(at + 1).trim();
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(value);
  return [line.slice(0, at).trim(), quoted?.[1] ?? quoted?.[2] ?? value.replace(/\s*;.*$/, '')];
}

/** Which of them listens there. */
export function poolAt(pools: readonly PoolConf[], target: Target): PoolConf | null {
  return pools.find(({ settings: { listen = '' } }) => listensAt(listen, target)) ?? null;
}

function listensAt(listen: string, target: Target): boolean {
  if (target.transport === 'unix') return isSocket(listen, target.path);
  const at = /^(?:(.*):)?(\d+)$/.exec(listen);
  if (at === null || Number(at[2]) !== target.port) return false;
  const host = at[1] ?? '';
  return ['', '*', '0.0.0.0', '[::]', '::'].includes(host) || plain(host) === plain(target.host);
}

/** A relative one is meant from a folder that only the php-fpm that runs knows. */
function isSocket(listen: string, path: string): boolean {
  if (listen === '' || /^(?:.*:)?\d+$/.test(listen)) return false;
  return listen.startsWith('/') ? run(listen) === run(path) : path.endsWith(`/${listen}`);
}

/** Both are one folder on Linux. */
function run(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

function plain(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' ? '127.0.0.1' : bare;
}
