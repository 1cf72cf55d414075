/** What became of each request, as its sender saw it and as PHP counted it: a few bytes a request, for millions. */
import { createReadStream } from 'node:fs';
import type { Executed } from '../../../src/errors.ts';

/** `executed` is null where the server in front does not say. */
export type Outcome =
  | { readonly kind: 'answered' }
  /** 200, but not the answer to this request. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'failed'; readonly reason: string; readonly executed: Executed | null };

export interface Tally {
  readonly sent: number;
  readonly answered: number;
  readonly wrong: number;
  readonly failed: number;
  /** Failed, and PHP never noted its number. */
  readonly failedUnrun: number;
  /** Failed, and said not to have run. */
  readonly failedUnexecuted: number;
  /** Failed, and not as 'unknown'. */
  readonly failedKnown: number;
  /** Said not to have run, but it did. */
  readonly lies: number;
  readonly twice: number;
  /** Answered, and never run. */
  readonly lost: number;
  /** Of the special ones: sent, failed with executed 'unknown', and run exactly once. */
  readonly special: number;
  readonly specialFailed: number;
  readonly specialOnce: number;
  /** How often each reason to fail came up. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Of the ordinary ones that were answered, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
}

const codes = { unsent: 0, answered: 1, wrong: 2, failed: 3 } as const;
const told: readonly (Executed | null)[] = [null, 'no', 'unknown', 'yes'];
const SPECIAL = 16;

export class Ledger {
  #outcomes: Uint8Array = new Uint8Array(1024);
  #millis: Float32Array = new Float32Array(1024);
  #runs: Uint8Array = new Uint8Array(1024);
  readonly #reasons: Map<string, number> = new Map();
  #count = 0;

  /** A number of its own for the next request. */
  next(): number {
    if (this.#count === this.#outcomes.length) this.#grow();
    this.#count++;
    return this.#count - 1;
  }

  /** `special`: it is not one of the many, but what the storm is about. */
  record(id: number, outcome: Outcome, millis: number, special: boolean): void {
    const executed = outcome.kind === 'failed' ? told.indexOf(outcome.executed) : 0;
    this.#outcomes[id] = codes[outcome.kind] + 4 * executed + (special ? SPECIAL : 0);
    this.#millis[id] = millis;
    if (outcome.kind !== 'failed' || special) return;
    this.#reasons.set(outcome.reason, (this.#reasons.get(outcome.reason) ?? 0) + 1);
  }

  /** Counts the runs that PHP noted; throws where it noted what nobody sent. */
  async readRuns(log: string): Promise<void> {
    let id = 0;
    for await (const chunk of createReadStream(log)) {
      for (const byte of chunk as Buffer) {
        if (byte === 0x0a) {
          if (id >= this.#count) throw new Error(`PHP ran a request ${id} that nobody sent`);
          this.#runs[id] = Math.min(255, (this.#runs[id] ?? 0) + 1);
          id = 0;
        } else {
          id = 10 * id + byte - 0x30;
        }
      }
    }
  }

  tally(): Tally {
    const sums = {
      answered: 0,
      wrong: 0,
      failed: 0,
      failedUnrun: 0,
      failedUnexecuted: 0,
      failedKnown: 0,
      lies: 0,
    };
    const more = { twice: 0, lost: 0, special: 0, specialFailed: 0, specialOnce: 0 };
    const answeredIn: number[] = [];
    for (let id = 0; id < this.#count; id++) {
      const outcome = this.#outcomes[id] ?? 0;
      const kind = outcome & 3;
      const executed = told[(outcome >> 2) & 3];
      const runs = this.#runs[id] ?? 0;
      if (runs > 1) more.twice++;
      if (kind !== codes.failed && runs === 0) more.lost++;
      if (executed === 'no' && runs > 0) sums.lies++;
      if (outcome & SPECIAL) {
        more.special++;
        if (kind === codes.failed && executed === 'unknown') more.specialFailed++;
        if (runs === 1) more.specialOnce++;
      } else if (kind === codes.failed) {
        sums.failed++;
        if (runs === 0) sums.failedUnrun++;
        if (executed === 'no') sums.failedUnexecuted++;
        if (executed !== 'unknown') sums.failedKnown++;
      } else if (kind === codes.wrong) {
        sums.wrong++;
      } else {
        sums.answered++;
        answeredIn.push(this.#millis[id] ?? 0);
      }
    }
    const sorted = Float32Array.from(answeredIn).sort();
    return {
      sent: this.#count,
      ...sums,
      ...more,
      reasons: this.#reasons,
      p50: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      slowest: sorted.at(-1) ?? 0,
    };
  }

  #grow(): void {
    const size = 2 * this.#outcomes.length;
    const outcomes = new Uint8Array(size);
    const millis = new Float32Array(size);
    outcomes.set(this.#outcomes);
    millis.set(this.#millis);
    this.#outcomes = outcomes;
    this.#millis = millis;
    this.#runs = new Uint8Array(size);
  }
}
