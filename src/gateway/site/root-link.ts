/** A document root that is a link to a release, moved by each deployment. */
import { realpathSync } from 'node:fs';

/** Milliseconds; as long as files.ts remembers what it has seen. */
const keep = 1000;

export class RootLink {
  readonly #root: string;
  readonly #now: () => number;
  #real = '';
  #until = 0;

  constructor(root: string, now: () => number = () => performance.now()) {
    this.#root = root;
    this.#now = now;
  }

  /** Its real path where that has changed since the last call, else null; the first call gives it. */
  moved(): string | null {
    const now = this.#now();
    if (this.#real !== '' && now < this.#until) return null;
    this.#until = now + keep;
    try {
      const real = realpathSync.native(this.#root);
      if (real === this.#real) return null;
      this.#real = real;
      return real;
    } catch {
      // between the old link and the new one there may be none
      return null;
    }
  }
}
