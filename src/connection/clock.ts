/**
 * The time by which a pool counts. It stands still while the event loop does: what the server did meanwhile lies in the
 * kernel unread, so a stall of ours (a long computation, a garbage collection, SIGSTOP) must not fail a request that has
 * been answered, nor be taken for a slow server. Times in ms.
 */
import { performance } from 'node:perf_hooks';
// Not the global ones, which tests replace (`vi.useFakeTimers()`, Jest's, Sinon's, those of node:test): a socket waits for none of theirs.
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import { LONGEST_DELAY } from '../arguments.ts';

/** What a clock is made from: Node's timers, or a simulator's. */
export interface Timers {
  /** Monotonic. */
  now(): number;
  /** Calls back once; returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void;
  /** Calls back again and again; does not keep the process alive. Returns a function that ends it. */
  every(interval: number, callback: () => void): () => void;
  /** Calls back once the bytes that lie in the kernel by now have been read. */
  afterIo(callback: () => void): void;
}

/** Calls back in a microtask. The global queueMicrotask() is replaced by tests as well (Jest's fake timers do so by default). */
export function soon(callback: () => void): void {
  void Promise.resolve().then(callback);
}

export const systemTimers: Timers = {
  // Bound once: Sinon's fake timers replace the method of this very object.
  now: performance.now.bind(performance),
  after: (delay, callback) => {
    const timer = setTimeout(callback, Math.min(delay, LONGEST_DELAY));
    return () => clearTimeout(timer);
  },
  every: (interval, callback) => {
    const timer = setInterval(callback, Math.min(interval, LONGEST_DELAY)).unref();
    return () => clearInterval(timer);
  },
  // Node runs immediates right behind the phase in which it polls for I/O.
  afterIo: (callback) => void setImmediate(callback),
};

/** ms between two ticks. Timeouts are late by this much at the most. */
export const TICK_INTERVAL = 25;
/** A gap longer than this is a stall; so much of it counts as time. */
const LONGEST_GAP = 2 * TICK_INTERVAL;

export class Clock {
  readonly #timers: Timers;
  /** Infinity: it does not tick, as there is nothing to do. Then no stall is known of, and time goes by. */
  #lastTick = Number.POSITIVE_INFINITY;
  #stalled = 0;
  #stop: (() => void) | null = null;
  readonly #first: (() => void)[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Without the time in which the event loop stood still while the clock ticked. */
  now(): number {
    return this.at(this.#timers.now());
  }

  /** With them: what has passed for whoever waits outside. */
  monotonic(): number {
    return this.#timers.now();
  }

  /** `now()` as it was when `monotonic()` said this: one look at the time is for both, as each takes 0.1 us or more. */
  at(monotonic: number): number {
    return Math.min(monotonic, this.#lastTick + LONGEST_GAP) - this.#stalled;
  }

  /** Calls `onTick` every 25 ms, each time behind a turn of I/O, until `stop()`. False: it does so already. */
  start(onTick: () => void): boolean {
    if (this.#stop !== null) return false;
    this.#tick();
    this.#stop = this.#timers.every(TICK_INTERVAL, () => {
      this.#tick();
      this.#timers.afterIo(() => {
        if (this.#stop !== null) onTick();
      });
    });
    return true;
  }

  /** Nobody waits for anything: the time until the next `start()` is no stall. What was learned grows older meanwhile. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.#lastTick = Number.POSITIVE_INFINITY;
  }

  /** Calls back behind this turn of I/O: every socket that has bytes by now has been read. */
  afterReads(callback: () => void): void {
    this.#timers.afterIo(() => {
      this.#runFirst();
      callback();
    });
  }

  /** The same, in front of all that `afterReads` calls back, as those may be users' functions that take long. */
  firstAfterReads(callback: () => void): void {
    if (this.#first.push(callback) === 1) this.#timers.afterIo(this.#runFirst);
  }

  readonly #runFirst = (): void => {
    for (const callback of this.#first.splice(0)) callback();
  };

  /** Calls back once what lies in the kernel by now has been read: the end of a connection comes one turn behind its bytes. */
  afterIo(callback: () => void): void {
    this.#timers.afterIo(() => this.#timers.afterIo(callback));
  }

  /** Calls back once `delay` ms of running time are over, behind a turn of I/O; returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void {
    const due = this.now() + delay;
    let cancelled = false;
    let cancel = (): void => {};
    const wait = (left: number): void => {
      cancel = this.#timers.after(left, () => {
        const rest = due - this.now();
        // Node's timers may fire a fraction of a ms early.
        if (rest >= 1) wait(rest);
        else
          this.#timers.afterIo(() => {
            if (!cancelled) callback();
          });
      });
    };
    wait(delay);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Resolves after `delay` ms; rejects with the signal's reason. */
  sleep(delay: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const aborted = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.after(delay, () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      });
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  #tick(): void {
    const now = this.#timers.now();
    this.#stalled += Math.max(0, now - this.#lastTick - LONGEST_GAP);
    this.#lastTick = now;
  }
}
