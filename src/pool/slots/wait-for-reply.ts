/** A job wants a connection with a pending idle check: it waits for the result for 75 ms, and then goes to another slot. */
import type { Clock } from '../../connection/clock.ts';
import type { IdleCheck } from '../../connection/idle-check.ts';
import type { Slot } from './slot.ts';

/** ms. A worker that is not back by then may be busy for long behind its response; to outlive an answer takes 65 at the most. */
const MAX_WAIT = 75;

export interface WaitForReply {
  /** The reply is here: the job may have the slot. */
  inTime(): void;
  /** It takes longer: the slot has no job any more, and the job no slot. */
  late(): void;
  /** Then, much later: the slot is free. */
  over(): void;
}

export function waitForReply(clock: Clock, slot: Slot, idleCheck: IdleCheck, then: WaitForReply): void {
  const cancel = clock.after(MAX_WAIT, () => {
    slot.job = null;
    idleCheck.onceSettled(() => then.over());
    then.late();
  });
  idleCheck.onceSettled(() => {
    cancel();
    then.inTime();
  });
}
