/**
 * Those who wait, or run, in the order in which they came; anybody may leave at any time.
 *
 * Not a Set: one that is added to and deleted from all the time gets a new table every few entries, and V8 has each old
 * table point to the next. Once one of them is in the old generation, every entry since then outlives the scavenges,
 * until a full collection: pauses of 3 ms in place of 0.2, measured at 20,000 requests a second.
 */
export class Line<T> {
  /** Its `next` is the first, its `previous` the last: a ring needs no special cases. */
  readonly #ends: Stand<T | null> = new Stand<T | null>(null);
  size = 0;

  /** Null: nobody is here. */
  get first(): T | null {
    return this.#ends.next.value;
  }

  /** What it returns is for `leave`. */
  add(value: T): Stand<T | null> {
    const last = this.#ends.previous;
    const stand = new Stand<T | null>(value);
    stand.previous = last;
    stand.next = this.#ends;
    last.next = stand;
    this.#ends.previous = stand;
    this.size++;
    return stand;
  }

  /** No effect for one that has left. */
  leave(stand: Stand<T | null>): void {
    if (stand.next === stand) return;
    stand.previous.next = stand.next;
    stand.next.previous = stand.previous;
    stand.previous = stand;
    stand.next = stand;
    this.size--;
  }

  all(): T[] {
    const values: T[] = [];
    for (let at = this.#ends.next; at.value !== null; at = at.next) values.push(at.value);
    return values;
  }
}

/** A place in a Line; one that has been left points to itself. */
export class Stand<T> {
  readonly value: T;
  previous: Stand<T> = this;
  next: Stand<T> = this;

  constructor(value: T) {
    this.value = value;
  }
}
