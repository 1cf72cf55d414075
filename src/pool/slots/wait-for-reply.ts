/** A job wants a connection with a pending idle check: it waits for the result for 75 ms, and then goes to another slot: the worker may be busy for long. */
import type { Clock } from '../../connection/clock.ts';
import type { IdleCheck } from '../../connection/idle-check.ts';
import { AT_ONCE } from '../learned/background-work.ts';
import type { Slot } from './slot.ts';

export interface WaitForReply {
  /** The reply is here: the job may have the slot. */
  inTime(): void;
  /** It takes longer: the slot has no job any more, and the job no slot. */
  late(): void;
  /** Then, much later: the slot is free. */
  over(): void;
}

export function waitForReply(clock: Clock, slot: Slot, idleCheck: IdleCheck, then: WaitForReply): void {
  const cancel = clock.after(AT_ONCE, () => {
    slot.job = null;
    idleCheck.onceSettled(() => then.over());
    then.late();
  });
  idleCheck.onceSettled(() => {
    cancel();
    then.inTime();
  });
}
