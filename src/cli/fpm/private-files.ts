/**
 * Where root serves, Node may read all; PHP runs as somebody else, and so does nginx where nginx serves. What its owner keeps to himself
 * is not to be sent for that. Only what is certain counts: who else may read a file can be said by an access list, which nothing
 * shows but bits for the group.
 */
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FoundFile } from '../../gateway/site/files.ts';
import { isInside } from '../../gateway/site/is-inside.ts';
import { realFolders } from '../../gateway/site/root-folder.ts';
import { TtlCache } from '../../gateway/site/ttl-cache.ts';

/** Bits of all but the owner. */
const OTHERS = 0o077;
/** Milliseconds, and entries. */
const KEEP = 1000;
const MOST = 4096;

/** Who runs PHP. */
export interface PhpUser {
  /** Null: it is not known; root it is not. */
  readonly uid: number | null;
}

/** Pure. */
export function isOwnersAlone({ mode, uid }: Pick<Stats, 'mode' | 'uid'>, reader: PhpUser): boolean {
  return (mode & OTHERS) === 0 && (reader.uid === null ? uid === 0 : uid !== reader.uid);
}

export class PrivateFiles {
  readonly #reader: PhpUser;
  readonly #tops: readonly string[];
  readonly #closed = new TtlCache<boolean>(KEEP, MOST);

  /** `linked`: folders outside to which links may lead. */
  constructor(reader: PhpUser, root: string, linked: readonly string[]) {
    this.#reader = reader;
    this.#tops = [root, ...linked];
  }

  /** Whether the file, or a folder that it is in, is for its owner alone. */
  has({ real, stats }: FoundFile): boolean {
    return isOwnersAlone(stats, this.#reader) || this.#isClosed(dirname(real));
  }

  #isClosed(folder: string): boolean {
    const known = this.#closed.get(folder);
    if (known !== undefined) return known;
    try {
      const closed = this.#look(folder);
      this.#closed.set(folder, closed);
      return closed;
    } catch {
      // it has gone meanwhile: so has the file, and whoever opens it will say so
      return false;
    }
  }

  /** Who may come as far as the site itself is no question: its scripts are there as well. */
  #look(folder: string): boolean {
    if (!realFolders(this.#tops).some((top) => folder !== top && isInside(folder, top))) return false;
    const stats = statSync(Buffer.from(folder, 'latin1'));
    return isOwnersAlone(stats, this.#reader) || this.#isClosed(dirname(folder));
  }
}
