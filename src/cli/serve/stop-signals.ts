/** The first signal asks for an end, the second for one at once. */
import type { Io, StopSignal } from '../io.ts';

/** What a shell adds to 128 for the exit status of a process that a signal ended. */
const numbers: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

export class StopSignals {
  readonly first: Promise<void>;
  /** Resolves with the exit status. */
  readonly second: Promise<number>;
  /** From now on signals do again what they do by default. */
  readonly forget: () => void;

  constructor(io: Io) {
    let ask: () => void = () => {};
    let insist: (status: number) => void = () => {};
    this.first = new Promise((resolve) => {
      ask = resolve;
    });
    this.second = new Promise((resolve) => {
      insist = resolve;
    });
    let asked = false;
    this.forget = io.onSignal((signal) => {
      if (asked) insist(128 + numbers[signal]);
      asked = true;
      ask();
    });
  }
}
