/** One event under an even load, for one contender, and what became of each request. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Lag, startLag } from '../../fpm/support/lag.ts';
import { Ledger, type Tally } from '../storm/ledger.ts';
import { type Front, TIMEOUT } from './contenders.ts';
import type { Event } from './events.ts';
import { type Farm, startFarm } from './farm.ts';

/** Requests a second: a third of what the workers could do. */
const RATE = 200;
/** ms of load before the event, and after it. */
const BEFORE = 1_000;
const AFTER = 1_500;

export interface Seen extends Tally {
  /** Those that were not answered before their timeout. */
  readonly waited: number;
}

/** Null where this machine lets nobody make a network. */
export async function run(event: Event, start: (farm: Farm) => Promise<Front>): Promise<Seen | null> {
  const lag: Lag | null = event.isThroughNetwork ? await startLag() : null;
  if (event.isThroughNetwork && lag === null) return null;
  const tcp = { transport: 'tcp', maxChildren: 4, processControlTimeout: 5 } as const;
  const first = { ...event.first, ...(lag === null ? {} : { host: lag.near }) };
  const farm = await startFarm({ ...tcp, ...event.options }, first, lag?.far);
  try {
    const front = await start(farm);
    const ledger = new Ledger();
    const load = new Load(front, ledger);
    await delay(BEFORE);
    await event.happen(farm, lag);
    await delay(AFTER);
    await load.end();
    await front.stop();
    await farm.lastRuns();
    await ledger.readRuns(farm.log);
    return { ...ledger.tally(), waited: load.waited };
  } finally {
    await farm.stop();
    await lag?.[Symbol.asyncDispose]();
  }
}

class Load {
  waited = 0;
  readonly #front: Front;
  readonly #ledger: Ledger;
  readonly #sending: Promise<void>;
  #over = false;

  constructor(front: Front, ledger: Ledger) {
    this.#front = front;
    this.#ledger = ledger;
    this.#sending = this.#send();
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#sending;
  }

  async #send(): Promise<void> {
    const begun = performance.now();
    const sent: Promise<void>[] = [];
    while (!this.#over) {
      await delay(Math.max(0, begun + (1_000 * sent.length) / RATE - performance.now()));
      sent.push(this.#one());
    }
    await Promise.all(sent);
  }

  async #one(): Promise<void> {
    const id = this.#ledger.next();
    const begun = performance.now();
    const outcome = await this.#front.send(id);
    const took = performance.now() - begun;
    this.#ledger.record(id, outcome, took, false);
    // A timer may be a millisecond early.
    if (took >= TIMEOUT - 10) this.waited++;
  }
}
