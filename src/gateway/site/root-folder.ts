/** What lies below a folder, links followed: each name is looked at with one system call, so no swapped link goes unseen. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { isInside } from './is-inside.ts';

/** What is there. Only 'file' and 'folder' are below the root, or in a folder to which links may lead. */
export type Found =
  | {
      readonly kind: 'file' | 'folder';
      /** Bytes. */
      readonly real: string;
      /** The real path from the root on, or from the folder that links may lead to. */
      readonly inner: string;
      readonly stats: Stats;
    }
  /** A link leads out. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'nothing' }
  /** It may not be looked at. */
  | { readonly kind: 'forbidden' };

/** A file or a folder. */
export type There = Found & { readonly kind: 'file' | 'folder' };

interface Known {
  readonly path: string | Buffer;
  found: There;
  readonly until: number;
}

/** Milliseconds for which a real path is believed. */
const keep = 1000;
const most = 4096;

const nothing: Found = { kind: 'nothing' };
const elsewhere: Found = { kind: 'elsewhere' };
const forbidden: Found = { kind: 'forbidden' };

export class RootFolder {
  readonly #root: string;
  readonly #others: readonly string[];
  readonly #now: () => number;
  #realRoot: string;
  /**
   * Where a name really leads. While it leads to the same file (device and inode), the answer holds: a real path takes
   * a system call for each of its folders, and a page would spend a sixth of its time on them.
   */
  readonly #known = new Map<string, Known>();
  /**
   * What was found in this turn of the event loop: requests that were read together see the same files. Whoever has had
   * an answer to the first of them over the network comes in a later turn, and sees what he has changed in between.
   */
  readonly #thisTurn = new Map<string, Found>();
  #isTurnWatched = false;

  /** `others`: real paths of folders outside to which links may lead. */
  constructor(root: string, others: readonly string[], now: () => number = () => performance.now()) {
    this.#root = root;
    this.#others = others;
    this.#now = now;
    this.#realRoot = realpathSync.native(root, 'latin1');
  }

  /** The very object of the last call, while the name leads to a file or folder that nothing was done to. */
  look(name: string): Found {
    const seen = this.#thisTurn.get(name);
    if (seen !== undefined) return seen;
    const found = this.#lookNow(name);
    if (!this.#isTurnWatched) {
      this.#isTurnWatched = true;
      setImmediate(() => {
        this.#isTurnWatched = false;
        this.lookAnew();
      });
    }
    this.#thisTurn.set(name, found);
    return found;
  }

  /** Forgets what was found in this turn: files may have been changed in it. */
  lookAnew(): void {
    this.#thisTurn.clear();
  }

  #lookNow(name: string): Found {
    const known = this.#known.get(name);
    const path = known?.path ?? this.#pathOf(name);
    try {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return nothing;
      const isBelieved = known && isSameFile(known.found.stats, stats) && this.#now() < known.until;
      if (isBelieved && isUntouched(known.found.stats, stats)) return known.found;
      // a fifo or a device would hold the request for ever
      if (!stats.isFile() && !stats.isDirectory()) return nothing;
      const kind = stats.isFile() ? 'file' : 'folder';
      if (isBelieved) {
        known.found = { ...known.found, kind, stats };
        return known.found;
      }
      const real = realpathSync.native(path, 'latin1');
      const inner = this.#innerOf(real);
      if (inner === null) return elsewhere;
      if (this.#known.size >= most) this.#known.clear();
      const found: There = { kind, real, inner, stats };
      this.#known.set(name, { path, found, until: this.#now() + keep });
      return found;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      // a file in place of a folder, a name too long, a loop of links: nothing that we could vouch for
      return code === 'EACCES' || code === 'EPERM' ? forbidden : nothing;
    }
  }

  /** For a log: the first part of `name` that leads out, and where to. */
  linkOut(name: string): { readonly link: string; readonly target: string } | null {
    let link = '';
    for (const part of name.split('/').filter((segment) => segment !== '')) {
      link += `/${part}`;
      try {
        const target = realpathSync.native(this.#pathOf(link), 'latin1');
        if (this.#innerOf(target) === null) return { link, target };
      } catch {
        return null;
      }
    }
    return null;
  }

  /** Plain ASCII stays a string; else bytes, as a file's name need not be UTF-8. */
  #pathOf(name: string): string | Buffer {
    if (/^[\x20-\x7e]*$/.test(name)) return this.#root + name;
    return Buffer.concat([Buffer.from(this.#root), Buffer.from(name, 'latin1')]);
  }

  #innerOf(real: string): string | null {
    if (!isInside(real, this.#realRoot)) {
      // the root may be a link that a new release has moved
      this.#realRoot = realpathSync.native(this.#root, 'latin1');
    }
    const folder = [this.#realRoot, ...this.#others].find((each) => isInside(real, each));
    return folder === undefined ? null : real.slice(folder === '/' ? 0 : folder.length);
  }
}

function isSameFile(known: Stats, now: Stats): boolean {
  return known.ino === now.ino && known.dev === now.dev;
}

/** Whatever is done to a file sets its ctime, which nobody can set back. */
export function isUntouched(known: Stats, now: Stats): boolean {
  return (
    known.ctimeMs === now.ctimeMs &&
    known.mtimeMs === now.mtimeMs &&
    known.size === now.size &&
    known.mode === now.mode
  );
}
