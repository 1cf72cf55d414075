/**
 * How long things took of late: counts in steps of a sixteenth, as in an HDR histogram, so that a percentile costs no
 * memory of each, and a count no logarithm. Times in ms.
 */

/** What is told of it. */
export interface Summary {
  readonly count: number;
  /** ms: half of them took no longer; 0 where there were none. */
  readonly p50: number;
  readonly p99: number;
}

/** Units in a ms: below 0.1 ms, which is 16 of them, all is counted as one. */
const UNITS = 160;
/** Steps in each doubling, and its power of two. */
const STEPS = 16;
const BITS = 4;
/** Longer ones, over 100 s, count as that. */
const MOST = 2 ** 24 - 1;
const LENGTH = stepOf(MOST) + 1;

export class Histogram {
  #counts: Uint32Array = new Uint32Array(LENGTH);
  #before: Uint32Array = new Uint32Array(LENGTH);

  add(took: number): void {
    const step = stepOf(Math.min(MOST, Math.max(STEPS, Math.ceil(took * UNITS))));
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

  /** How many were added. */
  get count(): number {
    return total(this.#counts) + total(this.#before);
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
  return upperEnd(step) / UNITS;
}

/** From 0, of so many units: at least 16. */
function stepOf(units: number): number {
  const shift = 31 - BITS - Math.clz32(units);
  return shift * STEPS + (units >> shift) - STEPS;
}

/** Units: the longest that `step` counts. */
function upperEnd(step: number): number {
  const shift = Math.floor(step / STEPS);
  return (((step % STEPS) + STEPS + 1) << shift) - 1;
}
