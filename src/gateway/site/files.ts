/** Which file answers for a path. PHP is asked for nothing but a regular file that really is below the root. */
import type { Stats } from 'node:fs';
import { copied } from '../../cgi/names.ts';
import { namedScript, type Script, splitScript } from '../../cgi/script.ts';
import { ArgumentError } from '../../errors.ts';
import type { Settings } from '../settings.ts';
import { isHidden, isSource } from './never-sent.ts';
import { type Found, RootFolder, type There } from './root-folder.ts';

/** What is to be done with a path. */
export type Choice =
  | { readonly kind: 'run'; readonly script: Script }
  /** To be sent as it is. */
  | { readonly kind: 'file'; readonly file: FoundFile }
  /** A folder without its slash: to the same path with one. */
  | { readonly kind: 'folder' }
  /** Not PHP's: somebody else may serve it. */
  | { readonly kind: 'pass' }
  /** A folder without an index. */
  | { readonly kind: 'unlisted' }
  /** Nobody may serve it: source that must not run, what may hold a secret, what a link leads to outside. */
  | { readonly kind: 'refuse'; readonly statusCode: 403 | 404; readonly reason?: Error };

export interface FoundFile {
  /** As it was asked for, decoded; of a folder's index, with its name. */
  readonly name: string;
  /** Bytes. */
  readonly real: string;
  readonly stats: Stats;
}

export interface Files {
  /** `path` is a Target's. */
  choose(path: string): Choice;
  /** What was seen in this turn of the event loop counts no more; `isMoved`: nor does where names lead. */
  lookAnew(isMoved?: boolean): void;
  /** What may be sent in place of a file, by its real path: a packed copy beside it. */
  sibling(file: FoundFile, ending: string): FoundFile | null;
}

type FileSettings = Pick<
  Settings<never>,
  'root' | 'index' | 'splitPath' | 'frontController' | 'trySuffixes' | 'allowSymlinksTo' | 'files'
>;

/** Entries, and chars of each. */
const most = 4096;
const longest = 1024;

const notPermitted =
  'may not be looked at: the user of this process must be able to enter each of its folders';
const pass: Choice = { kind: 'pass' };
const unlisted: Choice = { kind: 'unlisted' };
const missing: Choice = { kind: 'refuse', statusCode: 404 };
const folder: Choice = { kind: 'folder' };

/** @throws ArgumentError FCGI_ERR_INVALID_ARG where the front controller is not there, or nothing can be looked for. */
export function filesOf(settings: FileSettings): Files {
  const { root, trySuffixes, files } = settings;
  if (root !== null) return new LocalFiles(root, settings);
  const option = trySuffixes.length > 0 ? 'tryFiles' : 'files';
  if (trySuffixes.length > 0 || files !== null) {
    throw new ArgumentError(
      'FCGI_ERR_INVALID_ARG',
      option,
      `Option ${option} needs root: files are looked for`,
    );
  }
  return new UnseenFiles(settings);
}

/** The files are on another host: only names can be looked at. */
class UnseenFiles implements Files {
  readonly #settings: FileSettings;
  readonly #chosen = new Map<string, Choice>();

  constructor(settings: FileSettings) {
    this.#settings = settings;
  }

  choose(path: string): Choice {
    return this.#chosen.get(path) ?? this.#chooseNow(ownCopy(path));
  }

  #chooseNow(path: string): Choice {
    const { index, splitPath, frontController } = this.#settings;
    const script = namedScript(path, { index: index[0] ?? '', splitPath, frontController });
    if (!script) return pass;
    const choice: Choice = { kind: 'run', script };
    remember(this.#chosen, path, choice);
    return choice;
  }

  lookAnew(): void {}

  sibling(): null {
    return null;
  }
}

interface Chosen {
  readonly name: string;
  readonly found: Found;
  readonly choice: Choice;
}

class LocalFiles implements Files {
  readonly #settings: FileSettings;
  readonly #folder: RootFolder;
  /** What was chosen for a path after one look, at `name`: it holds while the same is found there. */
  readonly #chosen = new Map<string, Chosen>();

  constructor(root: string, settings: FileSettings) {
    this.#settings = settings;
    this.#folder = new RootFolder(root, settings.allowSymlinksTo);
    const { frontController } = settings;
    const found = frontController === undefined ? 'file' : this.#folder.look(frontController).kind;
    if (frontController !== undefined && found !== 'file') {
      const out = found === 'elsewhere' ? this.#folder.linkOut(frontController) : null;
      let what = 'is no file below root';
      if (out) what = `leads out of root, to ${out.target}: see allowSymlinksTo`;
      else if (found === 'forbidden') what = notPermitted;
      const message = `Option frontController ${frontController} ${what} (${root})`;
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'frontController', message);
    }
  }

  choose(path: string): Choice {
    return this.#known(path) ?? this.#chooseNow(ownCopy(path));
  }

  #chooseNow(path: string): Choice {
    const chosen = this.#script(path) ?? (path.endsWith('/') ? this.#index(path) : null);
    if (chosen) {
      this.#rememberScript(path, chosen);
      return chosen;
    }
    // there or not: as servers are usually told, and nothing is to be learned from the difference
    if (this.#settings.files && isHidden(path)) return missing;
    const found = this.#folder.look(path);
    switch (found.kind) {
      case 'nothing':
        return this.#tried(path) ?? this.#last() ?? pass;
      case 'folder':
        return this.#asFolder(path);
      case 'file': {
        const choice = this.#asFile(path, found);
        // a folder that is called like a script may become one
        if (!splitScript(path, this.#settings.splitPath)) this.#remember(path, path, found, choice);
        return choice;
      }
      case 'forbidden':
        return this.#settings.files || isSource(path) ? forbidden(path) : pass;
      case 'elsewhere':
        return this.#settings.files || isSource(path) ? this.#outside(path) : pass;
    }
  }

  lookAnew(isMoved?: boolean): void {
    this.#folder.lookAnew(isMoved);
  }

  sibling(file: FoundFile, ending: string): FoundFile | null {
    const name = file.name + ending;
    const found = this.#folder.look(name);
    // one that is older was made of what the file held before
    if (found.kind !== 'file' || found.stats.mtimeMs < file.stats.mtimeMs) return null;
    // it may be a link to what is never sent
    if (this.#settings.files?.isNeverSent(found.inner)) return null;
    return { name, real: found.real, stats: found.stats };
  }

  /** `path` ends with no slash. */
  #knownScript(path: string): Choice | null {
    const before = this.#known(path);
    if (before?.kind === 'run') return before;
    const script = this.#script(path);
    if (script) this.#rememberScript(path, script);
    return script;
  }

  /** Only where the script, in `path` or as the index of a folder, was the first that was looked at. */
  #rememberScript(path: string, choice: Choice): void {
    if (choice.kind !== 'run') return;
    const { index, splitPath } = this.#settings;
    const name = choice.script.scriptName;
    const first = splitScript(path, splitPath) ?? splitScript(path + index[0], splitPath);
    if (first?.scriptName === name) this.#remember(path, name, this.#folder.look(name), choice);
  }

  #known(path: string): Choice | null {
    const before = this.#chosen.get(path);
    return before && this.#folder.look(before.name) === before.found ? before.choice : null;
  }

  #remember(path: string, name: string, found: Found, choice: Choice): void {
    remember(this.#chosen, path, { name, found, choice });
  }

  #asFile(path: string, found: There): Choice {
    // a link's own name may be harmless where that of what it leads to is not
    const isJudged = this.#settings.files ? this.#settings.files.isNeverSent : isSource;
    if (isJudged(path) || isJudged(found.inner)) return missing;
    if (!this.#settings.files) return pass;
    return { kind: 'file', file: { name: path, real: found.real, stats: found.stats } };
  }

  /** nginx's `$uri/`. Where files are not ours, a folder without an index is not either. */
  #asFolder(path: string): Choice {
    const isWhole = path.endsWith('/');
    if (!this.#settings.files) {
      const index = isWhole ? null : this.#index(`${path}/`);
      if (index) return index.kind === 'run' ? folder : index;
      return this.#last() ?? pass;
    }
    // called like a script, it is no more there than a script is
    if (splitScript(path, this.#settings.splitPath)) return this.#last() ?? missing;
    if (!isWhole) return this.#index(`${path}/`) ? folder : unlisted;
    // a site without a home page is of no use to anybody
    return (path === '/' ? this.#last() : null) ?? unlisted;
  }

  /** The first script in `path` that exists; null where there is none. */
  #script(path: string): Choice | null {
    const { splitPath } = this.#settings;
    let script = splitScript(path, splitPath);
    while (script) {
      const { kind } = this.#folder.look(script.scriptName);
      if (kind === 'file') return { kind: 'run', script };
      if (kind === 'elsewhere') return this.#outside(script.scriptName);
      // below what does not exist, or is a file, there is no script
      if (kind !== 'folder') return null;
      script = splitScript(path, splitPath, script);
    }
    return null;
  }

  /** `/about.php` for `/about`. */
  #tried(path: string): Choice | null {
    if (path.endsWith('/')) return null;
    for (const suffix of this.#settings.trySuffixes) {
      const script = this.#knownScript(path + suffix);
      if (script) return script;
    }
    return null;
  }

  /** The front controller, which a link may have been put in the place of since the last request. */
  #last(): Choice | null {
    const { frontController } = this.#settings;
    if (frontController === undefined) return null;
    return this.#knownScript(frontController) ?? missing;
  }

  /** `path` ends with a slash. */
  #index(path: string): Choice | null {
    for (const name of this.#settings.index) {
      const script = this.#script(path + name);
      if (script) return script;
      const found = this.#folder.look(path + name);
      if (found.kind === 'file') return this.#asFile(path + name, found);
      // a home page that is there, and answered as if it were not
      if (found.kind === 'forbidden' && (this.#settings.files || path === '/')) return forbidden(path + name);
    }
    return null;
  }

  #outside(name: string): Choice {
    const out = this.#folder.linkOut(name);
    const what = out
      ? `${out.link} links out of the root, to ${out.target} (see allowSymlinksTo)`
      : `${name} was out of the root`;
    const message = `Not served: ${what}`;
    const reason = new ArgumentError('FCGI_ERR_INVALID_ARG', 'allowSymlinksTo', message);
    return { kind: 'refuse', statusCode: 404, reason };
  }
}

/** Told, as nginx does: who is asked for it sees a 403, and permissions of a folder are nothing that he could guess. */
function forbidden(name: string): Choice {
  const reason = Object.assign(new Error(`Not served: ${name} ${notPermitted}`), { code: 'EACCES' });
  return { kind: 'refuse', statusCode: 403, reason };
}

/** Where it may be remembered: what is made of it must not keep its URL in memory. */
function ownCopy(path: string): string {
  return path.length > longest ? path : copied(path);
}

/** `path`: an `ownCopy`. */
function remember<V>(chosen: Map<string, V>, path: string, value: V): void {
  if (path.length > longest) return;
  if (chosen.size >= most) chosen.clear();
  chosen.set(path, value);
}
