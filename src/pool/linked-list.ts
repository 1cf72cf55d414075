/**
 * Those who wait, or run, in the order in which they came; anybody may leave at any time.
 *
 * Not a Set: one that is added to and deleted from all the time gets a new table every few entries, and V8 has each old
 * table point to the next. Once one of them is in the old generation, every entry since then outlives the scavenges,
 * until a full collection: pauses of 3 ms in place of 0.2, measured at 20,000 requests a second.
 */

/** Stands in one line at a time, which sets these. */
export interface InLine<T extends InLine<T>> {
  line: Line<T> | null;
  before: T | null;
  behind: T | null;
}

export class Line<T extends InLine<T>> {
  /** Null: nobody is here. */
  first: T | null = null;
  size = 0;
  #last: T | null = null;

  /** To the end of this line, out of the one it stands in, if any. */
  add(one: T): void {
    one.line?.leave(one);
    one.line = this;
    one.before = this.#last;
    if (this.#last === null) this.first = one;
    else this.#last.behind = one;
    this.#last = one;
    this.size++;
  }

  /** No effect for one that is not here. */
  leave(one: T): void {
    if (one.line !== this) return;
    const { before, behind } = one;
    if (before === null) this.first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    // What has left must not lead to what comes later: see above.
    one.line = null;
    one.before = null;
    one.behind = null;
    this.size--;
  }

  all(): T[] {
    const all: T[] = [];
    for (let one = this.first; one !== null; one = one.behind) all.push(one);
    return all;
  }
}
