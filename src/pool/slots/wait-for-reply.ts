/**
 * A job wants a connection with a pending idle check, whose worker may be back in no time: it waits for the reply, and for no
 * longer than 75 ms, as the worker may be busy for long. It also waits no more once a later job has come: the script
 * in the worker may be waiting for this very job (a site that asks itself for a page), and later ones would take all other workers.
 */
import type { Clock } from '../../connection/clock.ts';
import type { IdleCheck } from '../../connection/idle-check.ts';
import { AT_ONCE } from '../learned/background-work.ts';
import type { Slot } from './slot.ts';

/** What is done with a job of type J, and with its slot. */
export interface ReplyWaitOwner<J> {
  /** The reply is here: the job may have the slot. */
  inTime(slot: Slot, job: J): void;
  /** It takes longer: the slot has no job any more, and the job no slot. */
  late(job: J): void;
  /** Then, much later: the slot is free. */
  over(slot: Slot): void;
}

interface Waiting<J> {
  readonly slot: Slot;
  readonly job: J;
  readonly idleCheck: IdleCheck;
  readonly cancel: () => void;
}

/** A job, and when it came. */
interface Arrived {
  readonly over: boolean;
  readonly queuedAt: number;
}

export class ReplyWaits<J extends Arrived> {
  readonly #clock: Clock;
  readonly #owner: ReplyWaitOwner<J>;
  /** Who came first is first. */
  readonly #waiting: Set<Waiting<J>> = new Set();

  constructor(clock: Clock, owner: ReplyWaitOwner<J>) {
    this.#clock = clock;
    this.#owner = owner;
  }

  wait(slot: Slot, job: J, idleCheck: IdleCheck): void {
    const cancel = this.#clock.after(AT_ONCE, () => {
      this.#waiting.delete(waiting);
      slot.job = null;
      idleCheck.onceSettled(() => this.#owner.over(slot));
      idleCheck.late();
      this.#owner.late(job);
    });
    const waiting = { slot, job, idleCheck, cancel };
    this.#waiting.add(waiting);
    idleCheck.onceSettled(() => {
      this.#waiting.delete(waiting);
      cancel();
      this.#owner.inTime(slot, job);
    });
  }

  /**
   * One that came before `queuedAt` waits no more; its slot, whose reply is still to come, is for whoever came then. Of several
   * the one that has waited longest.
   */
  takeFirst(queuedAt: number): { readonly slot: Slot; readonly job: J } | null {
    // The hot path.
    if (this.#waiting.size === 0) return null;
    for (const waiting of this.#waiting) {
      const { job, slot, idleCheck, cancel } = waiting;
      // One whose reply is just being dealt with is about to have its slot.
      if (job.over || job.queuedAt >= queuedAt || !idleCheck.isPending) continue;
      this.#waiting.delete(waiting);
      cancel();
      slot.job = null;
      return waiting;
    }
    return null;
  }
}
