/**
 * Those who wait, or run, in the order in which they came; anybody may leave at any time.
 *
 * Not a Set: one that is added to and deleted from all the time gets a new table every few entries, and V8 has each old
 * table point to the next. Once one of them is in the old generation, every entry since then outlives the scavenges,
 * until a full collection: pauses of 3 ms in place of 0.2, measured at 20,000 requests a second.
 * This folder: who waits, in which order, and who is refused at once. It imports only the errors.
 */

/** Stands in one line at a time, which sets these. */
export interface ListNode<T extends ListNode<T>> {
  list: LinkedList<T> | null;
  previous: T | null;
  next: T | null;
}

export class LinkedList<T extends ListNode<T>> {
  /** Null: nobody is here. */
  first: T | null = null;
  size = 0;
  #last: T | null = null;

  /** To the end of this line, out of the one it stands in, if any. */
  add(one: T): void {
    one.list?.remove(one);
    one.list = this;
    one.previous = this.#last;
    if (this.#last === null) this.first = one;
    else this.#last.next = one;
    this.#last = one;
    this.size++;
  }

  /** To the front of this list, out of the one it stands in, if any. */
  addFirst(one: T): void {
    one.list?.remove(one);
    one.list = this;
    one.previous = null;
    one.next = this.first;
    if (this.first === null) this.#last = one;
    else this.first.previous = one;
    this.first = one;
    this.size++;
  }

  /** No effect for one that is not here. */
  remove(one: T): void {
    if (one.list !== this) return;
    const { previous, next } = one;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // What has left must not lead to what comes later: see above.
    one.list = null;
    one.previous = null;
    one.next = null;
    this.size--;
  }

  toArray(): T[] {
    const all: T[] = [];
    for (let one = this.first; one !== null; one = one.next) all.push(one);
    return all;
  }
}
