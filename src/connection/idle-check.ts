/**
 * FCGI_GET_VALUES (specification 4.1), asked on a connection that carries no request. The answer says two things: what
 * the server is, and that the worker behind the connection has come back from the script before, to read the next
 * record; behind `fastcgi_finish_request()` that may be long after the end of the response.
 */
import type { CloseReason } from './reuse.ts';

export type IdleCheckResult =
  /** To `waitIdle`: the connection has outlived the time that was given. It is idle. */
  | { readonly values: null; readonly closed: null }
  /** What the server says of itself; an empty map where it does not know the record. The connection is idle again. */
  | { readonly values: ReadonlyMap<string, string>; readonly closed: null }
  /**
   * The connection was closed instead: `server-closed` by a FIN, `reset`, `trailing-bytes` by something that is no
   * answer, `unanswered` after the time that was given, or for a reason of the pool's.
   */
  | { readonly values: null; readonly closed: CloseReason };

export type OnIdleCheck = (reply: IdleCheckResult) => void;

/** What an idle connection waits for before it may be used again, if anything: an answer, or some time. */
export class IdleCheck {
  /** By the pool's clock, ms. */
  #due = 0;
  /** Nothing was sent: only time must pass. */
  #onlyTime = false;
  #onResult: OnIdleCheck | null = null;
  #isLate = false;
  #onceSettled: (() => void) | null = null;

  get isPending(): boolean {
    return this.#onResult !== null;
  }

  /** It is pending, and the answer is known to take long. */
  get isLate(): boolean {
    return this.#isLate && this.isPending;
  }

  /** `onResult` is called once. */
  begin(due: number, onlyTime: boolean, onResult: OnIdleCheck, isLate = false): void {
    this.#due = due;
    this.#onlyTime = onlyTime;
    this.#isLate = isLate;
    this.#onResult = onResult;
  }

  /** The answer takes long, as it turns out. */
  late(): void {
    this.#isLate = true;
  }

  /** `callback` is called once, after `onResult`: by then the connection is free, or closed. */
  onceSettled(callback: () => void): void {
    this.#onceSettled = callback;
  }

  /** Ends a wait whose time is over. True: an answer is overdue, so the connection must be closed. */
  isOverdue(now: number): boolean {
    if (!this.isPending || now < this.#due) return false;
    if (this.#onlyTime) this.#end({ values: null, closed: null });
    return !this.#onlyTime;
  }

  /** Ends a wait early: another connection has shown what this one waits for. */
  endWait(): void {
    if (this.#onlyTime) this.#end({ values: null, closed: null });
  }

  answer(values: ReadonlyMap<string, Buffer>): void {
    const text = new Map<string, string>();
    for (const [name, value] of values) text.set(name, value.toString('latin1'));
    this.#end({ values: text, closed: null });
  }

  /** The connection has been closed. */
  close(closed: CloseReason): void {
    this.#end({ values: null, closed });
  }

  #end(reply: IdleCheckResult): void {
    const onResult = this.#onResult;
    this.#onResult = null;
    onResult?.(reply);
    const onceSettled = this.#onceSettled;
    this.#onceSettled = null;
    onceSettled?.();
  }
}
