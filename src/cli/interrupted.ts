/** A signal that has ended a command which had something to put away first. */
import { constants } from 'node:os';
import type { StopSignal } from './io.ts';

export class Interrupted extends Error {
  /** As a shell has it. */
  readonly exitStatus: number;

  constructor(signal: StopSignal) {
    super(`ended by ${signal}`);
    this.name = 'Interrupted';
    this.exitStatus = 128 + constants.signals[signal];
  }
}
