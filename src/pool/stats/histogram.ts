/** How long things took of late: counts in steps of a tenth, so that a percentile costs no memory of each. Times in ms. */

/** What is told of it. */
export interface Summary {
  readonly count: number;
  /** ms: half of them took no longer; 0 where there were none. */
  readonly p50: number;
  readonly p99: number;
}

const LEAST = 0.1;
const STEP = Math.log(1.1);
/** Up to 0.1 ms x 1.1^150, about 160 s; longer ones count as that. */
const STEPS = 150;

export class Histogram {
  #counts: Uint32Array = new Uint32Array(STEPS + 1);
  #before: Uint32Array = new Uint32Array(STEPS + 1);

  add(took: number): void {
    const step = took <= LEAST ? 0 : Math.min(STEPS, Math.ceil(Math.log(took / LEAST) / STEP));
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
  }

  /** Forgets what was added before the last call. */
  rotate(): void {
    const old = this.#before;
    this.#before = this.#counts;
    this.#counts = old.fill(0);
  }

  get summary(): Summary {
    const counts = this.#all();
    const count = total(counts);
    return { count, p50: nth(counts, 0.5 * count), p99: nth(counts, 0.99 * count) };
  }

  /** The time within which this share of them lies; 0 where there are none. */
  percentile(share: number): number {
    const counts = this.#all();
    return nth(counts, share * total(counts));
  }

  #all(): Uint32Array {
    return this.#counts.map((count, step) => count + (this.#before[step] ?? 0));
  }
}

function total(counts: Uint32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The upper end of the step in which the `wanted`th one lies. */
function nth(counts: Uint32Array, wanted: number): number {
  if (wanted === 0) return 0;
  let seen = 0;
  const step = counts.findIndex((count) => {
    seen += count;
    return seen >= wanted;
  });
  return LEAST * Math.exp(step * STEP);
}
