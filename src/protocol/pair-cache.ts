/**
 * Pairs that come again: most params are the same with every request (DOCUMENT_ROOT, SERVER_NAME, ...), and to copy
 * their bytes takes half the time of encoding them.
 */
interface Known {
  value: string;
  /** Null until the value has come twice: those that always differ are never kept. */
  bytes: Uint8Array | null;
}

const MOST_NAMES = 256;
/** In UTF-16 units. */
const LONGEST_VALUE = 512;

export class PairCache {
  readonly #known: Map<string, Known> = new Map();

  /** The encoded pair, or null; then `learn` it. */
  get(name: string, value: string): Uint8Array | null {
    const known = this.#known.get(name);
    return known !== undefined && known.value === value ? known.bytes : null;
  }

  /** `start` to `end` of `bytes` is what was just encoded for these; copied where it is worth keeping. */
  learn(name: string, value: string, bytes: Uint8Array, start: number, end: number): void {
    if (value.length > LONGEST_VALUE) return;
    const known = this.#known.get(name);
    if (known === undefined) {
      if (this.#known.size < MOST_NAMES) this.#known.set(name, { value, bytes: null });
    } else if (known.value === value) {
      known.bytes = Uint8Array.prototype.slice.call(bytes, start, end);
    } else {
      known.value = value;
      known.bytes = null;
    }
  }
}
