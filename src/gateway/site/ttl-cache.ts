/** Remembers for a moment what was dear to find out. */
export class TtlCache<V> {
  readonly #keep: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly value: V; readonly until: number }>();

  /** `keep` in milliseconds; at `most` so many entries, then it forgets them all. */
  constructor(keep: number, most: number, now: () => number = () => performance.now()) {
    this.#keep = keep;
    this.#most = most;
    this.#now = now;
  }

  get(key: string): V | undefined {
    const entry = this.#known.get(key);
    return entry !== undefined && this.#now() < entry.until ? entry.value : undefined;
  }

  set(key: string, value: V): void {
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(key, { value, until: this.#now() + this.#keep });
  }
}
