/** Where the time of one request went. Times in ms, by a clock that never stands still. */
import type { RequestTimes } from '../../errors.ts';

/** What a request may be doing before it is sent; `'sent'` is all the rest. */
type Stage = 'reading' | 'queued' | 'connecting' | 'sent';

export class Times {
  /** When it was given to the server that has it now. */
  givenAt = 0;
  readonly #startedAt: number;
  #queued = 0;
  #connecting = 0;
  #stage: Stage = 'reading';
  #since: number;

  constructor(now: number) {
    this.#startedAt = now;
    this.#since = now;
  }

  /** May come again: a request that is sent again waits and connects once more. */
  enter(stage: Stage, now: number): void {
    if (this.#stage === 'queued') this.#queued += now - this.#since;
    else if (this.#stage === 'connecting') this.#connecting += now - this.#since;
    this.#stage = stage;
    this.#since = now;
  }

  /** `firstByteAfter`: ms from the latest sending to the first byte; -1: there was none. */
  at(now: number, firstByteAfter: number): RequestTimes {
    const running = now - this.#since;
    const stage = this.#stage;
    return {
      queued: this.#queued + (stage === 'queued' ? running : 0),
      connecting: this.#connecting + (stage === 'connecting' ? running : 0),
      firstByte:
        stage === 'sent' && firstByteAfter >= 0 ? this.#since + firstByteAfter - this.#startedAt : null,
      total: now - this.#startedAt,
    };
  }
}
