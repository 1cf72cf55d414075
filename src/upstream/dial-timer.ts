/**
 * Requests wait while all servers pause behind a refusal. When one may be dialled again, they go on: by a timer that keeps the process
 * alive, as they are all that it has to do.
 */
import type { Timers } from '../connection/clock.ts';
import type { Members } from './members.ts';

export class DialTimer {
  readonly #members: Members;
  readonly #timers: Timers;
  readonly #onDue: () => void;
  #isSet = false;

  constructor(members: Members, timers: Timers, onDue: () => void) {
    this.#members = members;
    this.#timers = timers;
    this.#onDue = onDue;
  }

  /** A request waits. */
  set(): void {
    if (this.#isSet) return;
    let due = Number.POSITIVE_INFINITY;
    for (const { refusals } of this.#members.all) if (refusals.isPausing) due = Math.min(due, refusals.until);
    if (due === Number.POSITIVE_INFINITY) return;
    this.#isSet = true;
    // Timers may be early by a fraction of a ms.
    this.#timers.after(Math.max(0, due - this.#timers.now()) + 1, () => {
      this.#isSet = false;
      this.#onDue();
    });
  }
}
