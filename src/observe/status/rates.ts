/** Requests a second, from a counter that is read now and then. */

interface Sample {
  /** ms. */
  readonly at: number;
  readonly count: number;
}

/** ms over which it is reckoned. */
const SPAN = 5000;
/** ms: samples that are closer say little. */
const LEAST = 200;

export class Rate {
  /** The highest so far. */
  most = 0;
  #samples: Sample[] = [];

  /** null: there are not two samples yet, or the counter has begun anew. */
  add(count: number, at: number): number | null {
    const last = this.#samples.at(-1);
    if (last !== undefined && count < last.count) this.#samples = [];
    if (last === undefined || at - last.at >= LEAST) this.#samples.push({ at, count });
    while ((this.#samples[1]?.at ?? at) < at - SPAN) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || at - first.at < LEAST) return null;
    const rate = ((count - first.count) * 1000) / (at - first.at);
    this.most = Math.max(this.most, rate);
    return rate;
  }
}
