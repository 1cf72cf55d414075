/** Which file answers for a path. PHP is asked for nothing but a regular file that really is below the root. */
import { realpathSync, statSync } from 'node:fs';
import { namedScript, type Script, splitScript } from '../../cgi/script.ts';
import { ArgumentError } from '../../errors.ts';
import type { Settings } from '../settings.ts';
import { isBelow } from './is-below.ts';
import { TtlCache } from './ttl-cache.ts';

/** What is to be done with a path. */
export type Choice =
  | { readonly kind: 'run'; readonly script: Script }
  /** A folder without its slash: to the same path with one. */
  | { readonly kind: 'folder' }
  /** Not PHP's: somebody else may serve it. */
  | { readonly kind: 'pass' }
  /** PHP source that must not run: nobody may serve it. */
  | { readonly kind: 'refuse' };

export interface Files {
  /** `path` is a Target's. */
  choose(path: string): Choice;
}

type FileSettings = Pick<
  Settings<never>,
  'root' | 'index' | 'splitPath' | 'frontController' | 'trySuffixes' | 'allowSymlinksTo'
>;
type Found = 'file' | 'folder' | 'elsewhere' | 'nothing';

const pass: Choice = { kind: 'pass' };
const refuse: Choice = { kind: 'refuse' };
const folder: Choice = { kind: 'folder' };
// also in capitals: a file system that ignores case finds the source below such a name, and PHP would not run it
const looksLikePhp = /\.(php\d?|phps|phtml|phar|pht)$/i;

/** @throws ArgumentError FCGI_ERR_INVALID_ARG where the front controller is not there, or nothing can be tried. */
export function filesOf(settings: FileSettings): Files {
  const { root, trySuffixes } = settings;
  if (root === null && trySuffixes.length > 0) {
    throw new ArgumentError(
      'FCGI_ERR_INVALID_ARG',
      'tryFiles',
      'Option tryFiles needs root: files are looked for',
    );
  }
  return root === null ? new UnseenFiles(settings) : new LocalFiles(root, settings);
}

/** The files are on another host: only names can be looked at. */
class UnseenFiles implements Files {
  readonly #settings: FileSettings;

  constructor(settings: FileSettings) {
    this.#settings = settings;
  }

  choose(path: string): Choice {
    const { index, splitPath, frontController } = this.#settings;
    const script = namedScript(path, { index: index[0] ?? '', splitPath, frontController });
    return script ? { kind: 'run', script } : pass;
  }
}

class LocalFiles implements Files {
  readonly #root: string;
  readonly #settings: FileSettings;
  readonly #frontController: Choice | null = null;
  /** What exists, for a second: a small page would spend a sixth of its time on looking. */
  readonly #seen = new TtlCache<Found>(1000, 1000);
  #realRoot: string;

  constructor(root: string, settings: FileSettings) {
    this.#root = root;
    this.#realRoot = realpathSync.native(root, 'latin1');
    this.#settings = settings;
    const { frontController } = settings;
    if (frontController === undefined) return;
    if (this.#look(frontController) !== 'file') {
      const message = `Option frontController ${frontController} is no file below root (${root})`;
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'frontController', message);
    }
    this.#frontController = { kind: 'run', script: { scriptName: frontController, pathInfo: '' } };
  }

  choose(path: string): Choice {
    const script = this.#script(path);
    if (script) return script;
    const found = this.#look(path);
    if (found === 'folder') return this.#index(path) ?? this.#frontController ?? pass;
    if (found === 'nothing') return this.#tried(path) ?? this.#frontController ?? pass;
    return looksLikePhp.test(path) ? refuse : pass;
  }

  /** The first script in `path` that exists; null where there is none. */
  #script(path: string): Choice | null {
    const { splitPath } = this.#settings;
    let script = splitScript(path, splitPath);
    while (script) {
      const found = this.#look(script.scriptName);
      if (found === 'file') return { kind: 'run', script };
      if (found === 'elsewhere') return refuse;
      // below what does not exist, or is a file, there is no script
      if (found === 'nothing') return null;
      script = splitScript(path, splitPath, script);
    }
    return null;
  }

  /** `/about.php` for `/about`. */
  #tried(path: string): Choice | null {
    if (path.endsWith('/')) return null;
    for (const suffix of this.#settings.trySuffixes) {
      const script = this.#script(path + suffix);
      if (script) return script;
    }
    return null;
  }

  #index(path: string): Choice | null {
    const asFolder = path.endsWith('/') ? path : `${path}/`;
    for (const name of this.#settings.index) {
      const script = this.#script(asFolder + name);
      if (script) return script.kind === 'refuse' || asFolder === path ? script : folder;
      if (this.#look(asFolder + name) === 'file') return pass;
    }
    return null;
  }

  #look(name: string): Found {
    const seen = this.#seen.get(name);
    if (seen) return seen;
    const found = this.#find(name);
    // what is not there may come at any time, and there are as many such names as clients care to make up
    if (found === 'file' || found === 'folder') this.#seen.set(name, found);
    return found;
  }

  /** Only 'file' and 'folder' are below the root, whatever links lead there. */
  #find(name: string): Found {
    // plain ASCII stays a string; else bytes, as a file's name need not be UTF-8
    const file = /^[\x20-\x7e]*$/.test(name)
      ? this.#root + name
      : Buffer.concat([Buffer.from(this.#root), Buffer.from(name, 'latin1')]);
    try {
      const facts = statSync(file, { throwIfNoEntry: false });
      if (!facts?.isFile() && !facts?.isDirectory()) return 'nothing';
      if (!this.#isAllowed(realpathSync.native(file, 'latin1'))) return 'elsewhere';
      return facts.isFile() ? 'file' : 'folder';
    } catch {
      // a file in place of a folder, a name too long, a loop of links, no permission: nothing that we could vouch for
      return 'nothing';
    }
  }

  #isAllowed(real: string): boolean {
    if (isBelow(real, this.#realRoot)) return true;
    // the root may be a link that a new release has moved
    this.#realRoot = realpathSync.native(this.#root, 'latin1');
    if (isBelow(real, this.#realRoot)) return true;
    return this.#settings.allowSymlinksTo.some((allowed) => isBelow(real, allowed));
  }
}
