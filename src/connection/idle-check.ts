/**
 * FCGI_GET_VALUES (specification 4.1), asked on a connection that carries no request. The answer says two things: what
 * the server is, and that the worker behind the connection has come back from the script before, to read the next
 * record; behind `fastcgi_finish_request()` that may be long after the end of the response.
 */
import type { CloseReason } from './reuse.ts';

export type Reply =
  /** To `waitIdle`: the connection has outlived the time that was given. It is idle. */
  | { readonly values: null; readonly closed: null }
  /** What the server says of itself; an empty map where it does not know the record. The connection is idle again. */
  | { readonly values: ReadonlyMap<string, string>; readonly closed: null }
  /**
   * The connection was closed instead: `server-closed` by a FIN, `reset`, `trailing-bytes` by something that is no
   * answer, `unanswered` after the time that was given, or for a reason of the pool's.
   */
  | { readonly values: null; readonly closed: CloseReason };

export type OnReply = (reply: Reply) => void;

/** What is being asked on a connection, if anything. */
export class Question {
  /** By the pool's clock, ms. */
  #due = 0;
  /** Nothing was asked: no more than time must pass. */
  #onlyTime = false;
  #onReply: OnReply | null = null;
  #whenOver: (() => void) | null = null;

  get open(): boolean {
    return this.#onReply !== null;
  }

  /** `onReply` is called once. */
  begin(due: number, onlyTime: boolean, onReply: OnReply): void {
    this.#due = due;
    this.#onlyTime = onlyTime;
    this.#onReply = onReply;
  }

  /** Called once, behind `onReply`: for the one who wants the connection. */
  whenOver(callback: () => void): void {
    this.#whenOver = callback;
  }

  /** The time is over. True: for an answer, so that the connection is to be closed. */
  isOverdue(now: number): boolean {
    if (!this.open || now < this.#due) return false;
    if (this.#onlyTime) this.#end({ values: null, closed: null });
    return !this.#onlyTime;
  }

  /** What was waited for is known from elsewhere: the rest of the time need not pass. */
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

  #end(reply: Reply): void {
    const onReply = this.#onReply;
    this.#onReply = null;
    onReply?.(reply);
    const whenOver = this.#whenOver;
    this.#whenOver = null;
    whenOver?.();
  }
}
