/**
 * Virtual time: events in order, none of them waited for. What happens in our own process ("ours": its timers, the bytes
 * that its sockets read) is put off while its event loop stands still, timers first and bytes behind them, as in Node.
 */
import type { Timers } from '../../src/connection/clock.ts';

interface Event {
  at: number;
  /** Of the events at the same time the lower one comes first. */
  readonly order: number;
  readonly run: () => void;
  /** Whose event loop it needs; null: nobody's, it happens at the server. */
  readonly loop: Loop | null;
  cancelled: boolean;
}

/** One process with an event loop. */
export class Loop {
  stalledUntil = 0;
  /** Callbacks that it has run. */
  turns = 0;
  /** ms that what arrived has waited until it had time, all together. */
  waited = 0;
  /** ms that each callback takes. */
  readonly cost: number;

  constructor(cost = 0) {
    this.cost = cost;
  }
}

const HOPS = 24;
const BYTES = 1e12;
const AFTER_BYTES = 2e12;

export class VirtualTime {
  now = 0;
  events = 0;
  readonly #heap: Event[] = [];
  #sequence = 0;

  at(at: number, run: () => void, loop: Loop | null = null): () => void {
    return this.#add(at, run, loop, 0);
  }

  /** Bytes, a FIN or an error arrive at a process. */
  arrive(at: number, run: () => void, loop: Loop): void {
    const due = Math.max(at, this.now);
    const arrived = (): void => {
      loop.waited += this.now - due;
      run();
    };
    this.#add(at, arrived, loop, BYTES);
  }

  timersOf(loop: Loop): Timers {
    return {
      now: () => this.now,
      after: (delay, callback) => this.at(this.now + Math.max(delay, 1), callback, loop),
      every: (interval, callback) => {
        let cancel = (): void => {};
        const again = (): void => {
          cancel = this.at(
            this.now + interval,
            () => {
              again();
              callback();
            },
            loop,
          );
        };
        again();
        return () => cancel();
      },
      // What comes while a loop has work is not read first.
      afterIo: (callback) => void this.#add(this.now, callback, loop, loop.cost > 0 ? BYTES : AFTER_BYTES),
    };
  }

  /** Runs until `until` (ms) or until nothing is left. */
  async run(until: number): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.at <= until; event = this.#heap[0]) {
      this.#pop();
      if (event.cancelled) continue;
      const { loop } = event;
      if (loop !== null && event.at < loop.stalledUntil) {
        // The same one: it may still be cancelled.
        event.at = loop.stalledUntil;
        this.#push(event);
        continue;
      }
      this.now = event.at;
      this.events++;
      event.run();
      // Promises settle before the next event does; no chain of theirs is longer.
      for (let hop = 0; hop < HOPS; hop++) await null;
      if (loop === null) continue;
      loop.turns++;
      loop.stalledUntil = Math.max(loop.stalledUntil, event.at + loop.cost);
    }
    this.now = Math.max(this.now, until);
  }

  #add(at: number, run: () => void, loop: Loop | null, rank: number): () => void {
    const event: Event = {
      at: Math.max(at, this.now),
      order: rank + this.#sequence++,
      run,
      loop,
      cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const left = heap[down];
      const right = heap[down + 1];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) down++;
      const child = heap[down];
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Numbers from 0 up to 1 from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
