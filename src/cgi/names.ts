/** Enough for every name that browsers, proxies and scripts send; whoever makes names up does not grow it. */
const MOST = 500;
/** In chars. */
const LONGEST = 64;

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
    if (this.#known.size < MOST && name.length <= LONGEST) this.#known.set(copied(name), found);
    return found;
  }
}

/**
 * To be remembered. V8 holds a piece of a string as a view of the whole: a name would keep the head in memory that it was
 * cut from. Each char is one byte.
 */
export function copied(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}
