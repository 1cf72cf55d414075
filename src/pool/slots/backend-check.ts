/** Asks the server what it is, where the pool does not know yet: behind an answer, and before a verdict rests on it. */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import { type Examined, examine } from '../../connection/examine.ts';
import type { Reply } from '../../connection/question.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import { FcgiError } from '../../errors.ts';
import type { Job } from '../job.ts';
import type { BackgroundWork } from '../learned/background-work.ts';
import type { Learned } from '../learned/learned.ts';
import type { Trust } from '../learned/trust.ts';
import type { Sender } from '../request/sender.ts';
import type { Slot } from './slot.ts';

/** ms for an answer: a busy machine must not be taken for a server that says nothing. */
const ANSWER = 250;
/** ms for a worker to come back from what its script does behind its response. */
const TAIL = 10_000;
/** ms for a connection to outlive an answer. */
const OUTLIVE = 40;
/** ms for a whole examination: the connection may have to wait for a worker. */
const EXAMINE = 1_000;
const LOOKS = 3;

export class BackendCheck {
  readonly #trust: Trust;
  readonly #backgroundWork: BackgroundWork;
  readonly #clock: Clock;
  readonly #sender: Sender;
  /** The slots that have a connection, or are dialling for one. */
  readonly #open: Set<Slot>;
  readonly #closed: Record<CloseReason, number>;
  /** They let time pass, as nobody knows yet what the server is. */
  readonly #waiting: Set<Connection> = new Set();
  #looking: Promise<void> | null = null;

  constructor(
    { trust, backgroundWork }: Pick<Learned, 'trust' | 'backgroundWork'>,
    clock: Clock,
    sender: Sender,
    open: Set<Slot>,
    closed: Record<CloseReason, number>,
  ) {
    this.#trust = trust;
    this.#backgroundWork = backgroundWork;
    this.#clock = clock;
    this.#sender = sender;
    this.#open = open;
    this.#closed = closed;
  }

  /** The connection has ended its exchange, and is kept: it may have to be asked, or waited for, before it is used. */
  behindAnswer(connection: Connection | null, script: string): void {
    if (connection === null || connection.closed) return;
    if (this.#trust.isPhpFpm === true) {
      this.#awaitWorker(connection, script);
      return;
    }
    const what = this.#trust.behindAnswer(connection.requests, this.#clock.now());
    if (what === 'nothing') return;
    const onReply = (reply: Reply): void => {
      this.#waiting.delete(connection);
      const mayBeUsed = this.#trust.replied(reply, connection.requests, this.#clock.now());
      if (!mayBeUsed) connection.close('unanswered');
      // One has been told for all of them.
      if (this.#trust.isPhpFpm === true) for (const { question } of this.#waiting) question.endWait();
    };
    if (what === 'ask') {
      connection.askValues(ANSWER, onReply);
    } else {
      this.#waiting.add(connection);
      connection.waitIdle(OUTLIVE, onReply);
    }
  }

  /** Is the worker back from this script, of which the pool is not sure? Until then nothing is sent to it. */
  #awaitWorker(connection: Connection, script: string): void {
    if (this.#trust.isTold || !this.#backgroundWork.mustCheck(script)) return;
    const asked = this.#clock.now();
    // PHP-FPM before 8.2 closes behind its answer; either way the worker is back.
    connection.askValues(TAIL, () => this.#backgroundWork.workerReturned(script, this.#clock.now() - asked));
  }

  /**
   * A job has failed, and was not run if the server is PHP-FPM, with no proxy in between, of which not all is known.
   * Looks, and calls `judge` with the error set right. False: that is not the case. While it looks, the job is not over.
   */
  confirm(slot: Slot, job: Job, error: unknown, judge: () => void): boolean {
    const proof = job.exchange?.proofIfKnown;
    if (!proof || !job.exchange || job.over || job.aborted || !(error instanceof FcgiError)) return false;
    job.exchange.proofIfKnown = null;
    const apply = (): void => {
      if (this.#trust.isPhpFpm === true && this.#trust.isDirect === true) error.learn(proof);
    };
    if (this.#trust.isKnown) {
      apply();
      return false;
    }
    void this.#examine(slot, job).then(() => {
      apply();
      judge();
    });
    return true;
  }

  /** On a connection of its own, in a slot that has none; one job looks for all. Never rejects. */
  async #examine(slot: Slot, job: Job): Promise<void> {
    if (this.#looking !== null) return this.#looking;
    this.#looking = this.#examineNow(slot, job);
    await this.#looking;
    this.#looking = null;
  }

  async #examineNow(slot: Slot, job: Job): Promise<void> {
    this.#open.add(slot);
    try {
      const { values, end } = await this.#look(job);
      this.#trust.examined(values, end, this.#clock.now());
    } catch {
      // Nobody is there, or the job was given up: nothing is known.
    } finally {
      this.#open.delete(slot);
    }
  }

  async #look(job: Job): Promise<Examined> {
    for (let tries = LOOKS; ; tries--) {
      const seen = await this.#examineOne(job, true);
      // A server that is just leaving ends the connection without a word: its successor will tell.
      if (seen.values === null && seen.end !== 'silence' && tries > 1) continue;
      if (seen.values === null || seen.end !== 'fin') return seen;
      // PHP-FPM before 8.2 closes behind its answer, and has not seen the rest.
      const { end } = await this.#examineOne(job, false);
      return { values: seen.values, end };
    }
  }

  async #examineOne(job: Job, ask: boolean): Promise<Examined> {
    const connected = await this.#sender.dial(job);
    this.#closed.examined++;
    return examine(connected, this.#clock, EXAMINE, ask);
  }
}
