/** A connection is being asked whether its worker is back: a job waits for the reply for a moment, and then goes elsewhere. */
import type { Clock } from '../../connection/clock.ts';
import type { Question } from '../../connection/idle-check.ts';
import type { Slot } from './slot.ts';

/** ms. A worker that is not back by then may be busy for long behind its response; to outlive an answer takes 65 at the most. */
const MOMENT = 75;

export interface WaitForReply {
  /** The reply is here: the job may have the slot. */
  inTime(): void;
  /** It takes longer: the slot has no job any more, and the job no slot. */
  late(): void;
  /** Then, much later: the slot is free. */
  over(): void;
}

export function waitForReply(clock: Clock, slot: Slot, question: Question, then: WaitForReply): void {
  const cancel = clock.after(MOMENT, () => {
    slot.job = null;
    question.whenOver(() => then.over());
    then.late();
  });
  question.whenOver(() => {
    cancel();
    then.inTime();
  });
}
