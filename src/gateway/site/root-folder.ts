/** What lies below a folder, links followed: each name is looked at with one system call, so no swapped link goes unseen. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { copied } from '../../cgi/names.ts';
import { errorCode } from '../../errors.ts';
import { type EventLoop, eventLoop } from './event-loop.ts';
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
  found: Found;
  /** Until when a real path is believed. */
  until: number;
  /** When it was looked at. */
  turn: number;
}

/** Milliseconds for which a real path is believed. */
const keep = 1000;
/** Names that are remembered, and chars of each: whoever makes names up does not fill the memory. */
const most = 4096;
const longest = 1024;

const noThrow = { throwIfNoEntry: false } as const;
const nothing: Found = { kind: 'nothing' };
const elsewhere: Found = { kind: 'elsewhere' };
const forbidden: Found = { kind: 'forbidden' };

export class RootFolder {
  readonly #root: string;
  readonly #others: readonly string[];
  readonly #now: () => number;
  /** Where the root and the others lead: with a link in their paths, to a folder of the release of the day. */
  #realFolders: readonly string[];
  /**
   * Where a name really leads. While it leads to the same file (device and inode), the answer holds: a real path takes
   * a system call for each of its folders, and a page would spend a sixth of its time on them.
   */
  readonly #known = new Map<string, Known>();
  /**
   * Turns of the event loop in which something was looked at. What was found in the same one counts: requests that were
   * read together see the same files. Whoever has had an answer to the first of them over the network comes in a later
   * turn, and sees what he has changed in between.
   */
  #turn = 0;
  readonly #loop: EventLoop = eventLoop();
  /** As the loop counts it. */
  #loopTurn = -1;

  /** `others`: folders outside to which links may lead. */
  constructor(root: string, others: readonly string[], now: () => number = () => performance.now()) {
    this.#root = root;
    this.#others = others;
    this.#now = now;
    this.#realFolders = this.#lookUpFolders();
  }

  /** The very object of the last call, while the name leads to a file or folder that nothing was done to. */
  look(name: string): Found {
    const loopTurn = this.#loop.turn();
    if (loopTurn !== this.#loopTurn) {
      this.#loopTurn = loopTurn;
      this.lookAnew();
    }
    const known = this.#known.get(name);
    if (known !== undefined && known.turn === this.#turn) return known.found;
    const entry = known ?? this.#add(name);
    entry.found = this.#lookNow(entry);
    entry.turn = this.#turn;
    return entry.found;
  }

  /** Forgets what was found in this turn: files may have been changed in it. `isMoved`: and where all names lead. */
  lookAnew(isMoved = false): void {
    this.#turn++;
    if (isMoved) this.#known.clear();
  }

  #add(name: string): Known {
    const entry: Known = { path: this.#pathOf(name), found: nothing, until: 0, turn: -1 };
    if (name.length > longest) return entry;
    if (this.#known.size >= most) this.#known.clear();
    this.#known.set(copied(name), entry);
    return entry;
  }

  #lookNow(known: Known): Found {
    const { path, found } = known;
    try {
      const stats = statSync(path, noThrow);
      if (stats === undefined) return nothing;
      const before =
        isThere(found) && isSameFile(found.stats, stats) && this.#now() < known.until ? found : null;
      if (before && isUntouched(before.stats, stats)) return before;
      // a fifo or a device would hold the request for ever
      if (!stats.isFile() && !stats.isDirectory()) return nothing;
      const kind = stats.isFile() ? 'file' : 'folder';
      if (before) return { ...before, kind, stats };
      const real = realpathSync.native(path, 'latin1');
      const inner = this.#innerOf(real);
      if (inner === null) return elsewhere;
      known.until = this.#now() + keep;
      return { kind, real, inner, stats };
    } catch (error) {
      const code = errorCode(error);
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
    const isBelow = (folder: string): boolean => isInside(real, folder);
    let folder = this.#realFolders.find(isBelow);
    if (folder === undefined) {
      // a new release may have moved them
      this.#realFolders = this.#lookUpFolders();
      folder = this.#realFolders.find(isBelow);
    }
    return folder === undefined ? null : real.slice(folder === '/' ? 0 : folder.length);
  }

  /** @throws where there is no root any more; without another folder its links lead nowhere. */
  #lookUpFolders(): string[] {
    return [realpathSync.native(this.#root, 'latin1'), ...realFolders(this.#others)];
  }
}

/** Of those that are there: bytes. */
export function realFolders(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    try {
      return [realpathSync.native(folder, 'latin1')];
    } catch {
      return [];
    }
  });
}

function isThere(found: Found): found is There {
  return found.kind === 'file' || found.kind === 'folder';
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
