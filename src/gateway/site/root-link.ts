/** A document root that is a link to a release, moved by each deployment. */
import { realpathSync, type Stats, statSync } from 'node:fs';

/** Milliseconds; as long as files.ts remembers what it has seen. */
const keep = 1000;

const noThrow = { throwIfNoEntry: false } as const;

export class RootLink {
  readonly #root: string;
  readonly #now: () => number;
  #real = '';
  /** The folder that `#real` is the path of. */
  #folder: Stats | undefined;
  #until = 0;

  constructor(root: string, now: () => number = () => performance.now()) {
    this.#root = root;
    this.#now = now;
  }

  /**
   * Its real path where that has changed since the last call, else null; the first call gives it. The folder is looked at in
   * each call: a script is looked for through the link, so one that only the new release has must be run there.
   */
  moved(): string | null {
    try {
      const folder = statSync(this.#root, noThrow);
      if (folder === undefined) return null;
      const now = this.#now();
      if (now < this.#until && this.#folder?.ino === folder.ino && this.#folder.dev === folder.dev)
        return null;
      const real = realpathSync.native(this.#root);
      this.#folder = folder;
      // the same folder may have got another name
      this.#until = now + keep;
      if (real === this.#real) return null;
      this.#real = real;
      return real;
    } catch {
      // between the old link and the new one there may be none
      return null;
    }
  }
}
