/**
 * Those who wait: for any server, and each for the one that it has asked for. Who waits for a certain server stands in a line of its
 * own: where that server is busy, or hangs, the others must not wait as well, nor be searched for among those who cannot go.
 */
import { LinkedList, type ListNode } from './linked-list.ts';

export interface Waiting<T extends ListNode<T>> extends ListNode<T> {
  /** Its place among all who wait: the lower, the sooner. */
  place: number;
}

/** What became of one that might go: it went, or it waits on; or nobody behind it in its line can go either. */
export type Offered = 'gone' | 'waits' | 'all-wait';

export class Queue<T extends Waiting<T>> {
  readonly #any: LinkedList<T> = new LinkedList();
  readonly #byServer: Map<string, LinkedList<T>> = new Map();
  readonly #serverOf: (one: T) => string;
  /** The places that were given last, at the end and at the front. */
  #last = 0;
  #front = 0;

  /** `serverOf`: the server that it has asked for; '' for any. */
  constructor(serverOf: (one: T) => string) {
    this.#serverOf = serverOf;
  }

  get size(): number {
    let size = this.#any.size;
    if (this.#byServer.size > 0) for (const { size: more } of this.#byServer.values()) size += more;
    return size;
  }

  /** Null: nobody waits. */
  get oldest(): T | null {
    return this.lines.reduce<T | null>((oldest, { first }) => earlier(oldest, first), null);
  }

  get lines(): readonly LinkedList<T>[] {
    return [this.#any, ...this.#byServer.values()];
  }

  toArray(): T[] {
    return this.lines.flatMap((line) => line.toArray());
  }

  /** How many stand in the line of this one, with it or without. */
  sizeFor(one: T): number {
    const server = this.#serverOf(one);
    return (server === '' ? this.#any : this.#byServer.get(server))?.size ?? 0;
  }

  add(one: T): void {
    one.place = ++this.#last;
    this.#lineOf(one).add(one);
  }

  /** In front of all others. */
  addFirst(one: T): void {
    one.place = --this.#front;
    this.#lineOf(one).addFirst(one);
  }

  /** Who came first of those that may have a slot of `server`; null: nobody. It waits on until it is taken out. */
  firstFor(server: string, accepts: (one: T) => boolean): T | null {
    let any = this.#any.first;
    while (any !== null && !accepts(any)) any = any.next;
    const named = this.#byServer.get(server)?.first ?? null;
    // The rest of its line may no more than the first.
    return named !== null && accepts(named) ? earlier(any, named) : any;
  }

  /** All of them, in the order in which they came. */
  offer(run: (one: T) => Offered): void {
    const nexts = this.lines.map(({ first }) => first);
    for (;;) {
      const one = nexts.reduce<T | null>(earlier, null);
      if (one === null) break;
      const at = nexts.indexOf(one);
      const { next } = one;
      nexts[at] = run(one) === 'all-wait' ? null : next;
    }
    for (const [server, { size }] of this.#byServer) if (size === 0) this.#byServer.delete(server);
  }

  /** Takes those at the head of each line that are due; `take` must take them out. `named`: those as well that have asked for a server. */
  takeDue(isDue: (one: T) => boolean, take: (one: T) => void, named: boolean): void {
    // In the order in which they came: the first that may still wait ends the search.
    for (const line of named ? this.lines : [this.#any])
      for (let one = line.first; one !== null && isDue(one); one = line.first) take(one);
  }

  #lineOf(one: T): LinkedList<T> {
    const server = this.#serverOf(one);
    if (server === '') return this.#any;
    const line = this.#byServer.get(server) ?? new LinkedList<T>();
    this.#byServer.set(server, line);
    return line;
  }
}

function earlier<T extends { readonly place: number }>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return b.place < a.place ? b : a;
}
