/** One listener for each AbortSignal, however many requests have been given it: Node warns of a leak where one has eleven. */

export class Signals {
  readonly #bySignal: Map<AbortSignal, { readonly told: Set<() => void>; readonly listener: () => void }> =
    new Map();

  add(signal: AbortSignal, told: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) {
      known.told.add(told);
      return;
    }
    const all = new Set([told]);
    const listener = (): void => {
      for (const one of [...all]) one();
    };
    this.#bySignal.set(signal, { told: all, listener });
    signal.addEventListener('abort', listener);
  }

  remove(signal: AbortSignal, told: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known === undefined) return;
    known.told.delete(told);
    if (known.told.size > 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', known.listener);
  }
}
