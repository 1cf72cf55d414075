/**
 * The params of one request as they were encoded. Most of them are the same with every request and come in the same
 * order, so that all that stands between two that differ is copied at once: a quarter of what it takes to encode it.
 */
import { encodePairInto, type Params, pairBound } from './params.ts';

/** Bytes; what does not fit is not known. */
const SIZE = 16 * 1024;
/** A new request is learnt once in so many that differ: some params do with every request, and that is no reason. */
const LEARN_EVERY = 32;
/** So many params of the known request may be missing in a row; looking further would cost more than encoding does. */
const REACH = 16;

export class KnownParams {
  #names: string[] = [];
  #values: string[] = [];
  /** Where each pair ends in `#bytes`. */
  #ends: number[] = [];
  #bytes: Buffer | null = null;
  /** What was copied lately, by its first pair: a view takes longer to make than to copy. */
  #views: (Uint8Array | undefined)[] = [];
  #differed = 0;

  /** Is this the pair at `index`? */
  is(index: number, name: string, value: string | Uint8Array): boolean {
    return this.#names[index] === name && this.#values[index] === value;
  }

  /** The index of `name`, at `from` or not far behind it; -1: unknown there. */
  find(name: string, from: number): number {
    const end = Math.min(from + REACH, this.#names.length);
    for (let i = from; i < end; i++) if (this.#names[i] === name) return i;
    return -1;
  }

  /** Bytes of the pairs from index `from` up to `to`. */
  size(from: number, to: number): number {
    return this.#end(to) - this.#end(from);
  }

  /** Copies these to `target` at `at`; returns the offset behind them. */
  copy(from: number, to: number, target: Buffer, at: number): number {
    if (this.#bytes === null) return at;
    const length = this.size(from, to);
    let view = this.#views[from];
    if (view?.length !== length) {
      view = this.#bytes.subarray(this.#end(from), this.#end(to));
      this.#views[from] = view;
    }
    target.set(view, at);
    return at + length;
  }

  /** These, which have just been encoded without an error, were not all known. */
  differed(params: Params): void {
    if (this.#differed++ % LEARN_EVERY === 0) this.#learn(params);
  }

  #learn(params: Params): void {
    const bytes = this.#bytes ?? Buffer.allocUnsafeSlow(SIZE);
    this.#bytes = bytes;
    this.#names = [];
    this.#values = [];
    this.#ends = [];
    this.#views = [];
    let at = 0;
    for (const [name, value] of Object.entries(params)) {
      if (typeof value !== 'string' || at + pairBound(name, value) > SIZE) continue;
      at = encodePairInto(bytes, at, name, value);
      this.#names.push(name);
      this.#values.push(value);
      this.#ends.push(at);
    }
  }

  #end(count: number): number {
    return count === 0 ? 0 : (this.#ends[count - 1] ?? 0);
  }
}
