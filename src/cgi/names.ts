/** Enough for every name that browsers, proxies and scripts send; whoever makes names up does not grow it. */
const MOST = 500;

/** What has been found out of names of headers: nearly all come again. */
export class Names<V> {
  readonly #known = new Map<string, V>();
  readonly #find: (name: string) => V;

  constructor(find: (name: string) => V) {
    this.#find = find;
  }

  get(name: string): V {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name);
    if (this.#known.size < MOST) this.#known.set(name, found);
    return found;
  }
}
