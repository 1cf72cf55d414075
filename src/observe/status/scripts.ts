/** Which scripts are slow: figures for each, of a bounded number. */
import type { FcgiError } from '../../errors.ts';
import type { Ended } from '../../pool/dispatcher.ts';

export interface ScriptFigures {
  /** SCRIPT_FILENAME. */
  readonly script: string;
  readonly requests: number;
  /** Of those, that failed, or were answered with 500 or more. */
  readonly failed: number;
  /** ms from the moment at which a connection was there to the end of the response; of all, and of the slowest. */
  readonly mean: number;
  readonly max: number;
  /** ms of all of them: what the script costs in worker time. */
  readonly total: number;
}

interface Figures {
  requests: number;
  failed: number;
  total: number;
  max: number;
}

/** A request that has ended, as its channel tells of it. */
interface Over {
  readonly statusCode: number | null;
  readonly result?: unknown;
  readonly facts?: Pick<FcgiError, 'times'>;
}

/** A site with a script for each visitor must not fill the memory. */
const MOST = 500;

export class Scripts {
  readonly #figures: Map<string, Figures> = new Map();

  add(script: string, over: Over): void {
    const times = (over.result as Ended | undefined)?.times ?? over.facts?.times;
    if (times === undefined) return;
    const took = Math.max(0, times.total - times.queued - times.connecting);
    const one = this.#figures.get(script) ?? this.#make(script);
    one.requests++;
    if (over.result === undefined || (over.statusCode ?? 0) >= 500) one.failed++;
    one.total += took;
    one.max = Math.max(one.max, took);
  }

  clear(): void {
    this.#figures.clear();
  }

  /** Those that cost most worker time, the first ones first. */
  slowest(most: number): ScriptFigures[] {
    return [...this.#figures]
      .map(([script, one]) => ({ script, ...one, mean: one.total / one.requests }))
      .sort((a, b) => b.total - a.total)
      .slice(0, most);
  }

  #make(script: string): Figures {
    if (this.#figures.size >= MOST) this.#forgetCheapest();
    const made = { requests: 0, failed: 0, total: 0, max: 0 };
    this.#figures.set(script, made);
    return made;
  }

  #forgetCheapest(): void {
    let cheapest = '';
    let least = Number.POSITIVE_INFINITY;
    for (const [script, { total }] of this.#figures) {
      if (total >= least) continue;
      cheapest = script;
      least = total;
    }
    this.#figures.delete(cheapest);
  }
}
