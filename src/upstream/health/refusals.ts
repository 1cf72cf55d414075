/**
 * When to dial a server again that lets nobody connect: after a pause that grows, as the dialling of a Pool has it. A refusal comes
 * back in a tenth of a millisecond, so that requests that wait would else spend the whole processor on asking again. Times in ms.
 */
import { ConnectError } from '../../errors.ts';
import type { FailureKind } from './failure.ts';

/** The first pause, doubled each time up to the longest. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 100;

/** ms, before the jitter; `refusals` so far. */
export function pauseAfter(refusals: number): number {
  return Math.min(FIRST_PAUSE * 2 ** refusals, LONGEST_PAUSE);
}

export class Refusals {
  /** Of its latest; null: the last connection came about, or none was tried. */
  latest: ConnectError | null = null;
  /** By the pool's clock: it has refused everybody from then on. */
  since: number = Number.POSITIVE_INFINITY;
  /** It is not to be dialled yet. */
  isPausing = false;
  #count = 0;
  #isTried = false;
  /** By the machine's clock: the pause is over then. */
  until = 0;

  /** It lets nobody in, and a request is given to it all the same: one for each pause. `random`: 0 to 1. */
  tried(now: number, random: number): void {
    this.#isTried = true;
    this.#pause(now, random);
  }

  /** A request has failed there. `clockNow`: by the pool's clock. What is short on this machine says nothing of the server. */
  failed(error: unknown, kind: FailureKind, now: number, clockNow: number, random: number): void {
    if (!(error instanceof ConnectError)) {
      this.reached();
      return;
    }
    if (kind === 'none') return;
    this.latest = error;
    this.since = Math.min(this.since, clockNow);
    // Those that were dialled together say nothing new.
    if (this.isPausing && !this.#isTried) return;
    this.#isTried = false;
    this.#pause(now, random);
    this.#count++;
  }

  /** Somebody has been let in. */
  reached(): void {
    if (this.latest === null) return;
    this.latest = null;
    this.since = Number.POSITIVE_INFINITY;
    this.isPausing = false;
    this.#isTried = false;
    this.#count = 0;
  }

  /** True: the pause is over. */
  refresh(now: number): boolean {
    if (!this.isPausing || now < this.until) return false;
    this.isPausing = false;
    return true;
  }

  #pause(now: number, random: number): void {
    this.isPausing = true;
    this.until = now + pauseAfter(this.#count) * (0.5 + random);
  }
}
