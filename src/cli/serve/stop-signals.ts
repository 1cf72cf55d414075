/**
 * The first signal asks for an end, the second for one at once. The same one within a moment is no second: a terminal sends Ctrl-C to all
 * that it runs, and `concurrently`, `nodemon` or npm below npm pass it on as well; `timeout` sends each signal twice.
 */
import type { Io, StopSignal } from '../io.ts';

/** What a shell adds to 128 for the exit status of a process that a signal ended. */
const numbers: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

/** Milliseconds. Those programs take 5 to 50, a finger that presses the keys again some 150 or more. */
const SAME = 200;

export class StopSignals {
  readonly first: Promise<void>;
  /** Resolves with the exit status. */
  readonly second: Promise<number>;
  /** From now on signals do again what they do by default. */
  readonly forget: () => void;

  constructor(io: Io, now: () => number = () => performance.now()) {
    let ask: () => void = () => {};
    let insist: (status: number) => void = () => {};
    this.first = new Promise((resolve) => {
      ask = resolve;
    });
    this.second = new Promise((resolve) => {
      insist = resolve;
    });
    let asked: { readonly signal: StopSignal; readonly at: number } | null = null;
    this.forget = io.onSignal((signal) => {
      if (asked === null) asked = { signal, at: now() };
      else if (signal !== asked.signal || now() - asked.at > SAME) insist(128 + numbers[signal]);
      ask();
    });
  }
}
