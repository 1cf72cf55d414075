/**
 * Does keeping cost more than connecting? PHP-FPM leaves Nagle's algorithm on, so over tcp the last small piece of a page waits until
 * the piece before is acknowledged. Linux does that at once on a new connection, and 40 ms late on one that goes back and forth: a page
 * of 20 KiB takes 44 ms then in place of 0.5. So it is counted how many responses stand still on such connections and on others. Where
 * that costs more than a connect nothing is kept for a while: without FCGI_KEEP_CONN PHP-FPM closes behind each response, which
 * sends what waits. A wrong guess costs a connect for each request. Times in ms.
 */

/** Linux puts an acknowledgement off for so long at the least, others for longer. */
const LEAST_DELAY = 40;
/** What stands still for so long does for that: before our kernel saw the first piece, or we did, it took a while. */
const STOOD_STILL = 30;
const LEAST_STALLED = 4;
/** Responses that may wait stand still so many times as often as others: a script may pause by itself. */
const TIMES_AS_MANY = 3;
/** A connect costs so many times what it takes: both processes have more to do for it than to wait. */
const CONNECTS = 1.5;
/** Of the latest long responses, of those that may wait and of others. */
const MEMORY = 64;
/** The route may have changed, or what is asked for: then it is tried again, each time later. */
const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 600_000;

/** What is known of a response that is whole. */
export interface Answered {
  /** Its connection is kept, and had carried another request, or FCGI_GET_VALUES: it may wait for an acknowledgement. */
  readonly mayWaitForAck: boolean;
  /** It has come, or may have come, in more than one piece. */
  readonly isLong: boolean;
  /** For how long it stood still at the most, once it had begun. */
  readonly stillFor: number;
}

interface Seen {
  all: number;
  long: number;
  stalled: number;
}

export class DelayedAcks {
  /** Keeping costs more than it saves. */
  isCostly = false;
  readonly #kept: Seen = { all: 0, long: 0, stalled: 0 };
  readonly #fresh: Seen = { all: 0, long: 0, stalled: 0 };
  #until = 0;
  #pause = FIRST_PAUSE;

  /** `connect`: what connecting takes. */
  answered({ mayWaitForAck, isLong, stillFor }: Answered, connect: number, now: number): void {
    const seen = mayWaitForAck ? this.#kept : this.#fresh;
    seen.all++;
    if (!isLong) return;
    seen.long++;
    if (stillFor >= STOOD_STILL) {
      seen.stalled++;
      if (!this.#costMore(connect)) this.#keepAgain();
      else if (mayWaitForAck) this.#keepNothing(now);
    }
    // What made it costly is not forgotten before it is tried again.
    if (seen.long < MEMORY || (mayWaitForAck && this.isCostly)) return;
    if (mayWaitForAck) this.#pause = FIRST_PAUSE;
    forget(seen, 1 / 2);
  }

  onTick(now: number): void {
    if (now >= this.#until) this.#keepAgain();
  }

  #costMore(connect: number): boolean {
    const { all, long, stalled } = this.#kept;
    const kept = stalled / long;
    // Until it is believed, as if one more had been seen, which half did: of few that did not stand still the next one may.
    const unseen = this.isCostly ? 0 : 1;
    const fresh = (this.#fresh.stalled + unseen / 2) / (this.#fresh.long + unseen);
    const lost = ((kept - fresh) * LEAST_DELAY * long) / all;
    return stalled >= LEAST_STALLED && kept >= TIMES_AS_MANY * fresh && lost > CONNECTS * connect;
  }

  #keepNothing(now: number): void {
    if (this.isCostly) return;
    this.isCostly = true;
    this.#until = now + this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
  }

  /** The pause is over, or it was a chance: now that all are new, they stand still as well. */
  #keepAgain(): void {
    if (!this.isCostly) return;
    this.isCostly = false;
    forget(this.#kept, 0);
  }
}

function forget(seen: Seen, rest: number): void {
  seen.all *= rest;
  seen.long *= rest;
  seen.stalled *= rest;
}
