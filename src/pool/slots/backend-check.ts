/** Asks the server what it is, where the pool does not know yet: behind an answer, and before a verdict rests on it. */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import { examineServer } from '../../connection/detect-backend.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { Reply } from '../../connection/idle-check.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { Target } from '../../connection/socket/address.ts';
import type { Connected } from '../../connection/socket/connect.ts';
import { FcgiError } from '../../errors.ts';
import { encodeStdinTerminator, requestIdOf } from '../../protocol/encoder.ts';
import type { Job } from '../job.ts';
import type { Trust } from '../learned/backend-kind.ts';
import type { BackgroundWork } from '../learned/background-work.ts';
import type { Learned } from '../learned/learned.ts';
import type { PoolSettings } from '../options.ts';
import type { Sender } from '../request/sender.ts';
import { Slot } from './slot.ts';

/** ms for an answer: a busy machine must not be taken for a server that says nothing. */
const ANSWER = 250;
/** ms for an answer on a connection of its own: it may have to wait for a worker. */
const ASIDE = 500;
/**
 * The same where the fate of a request hangs on it, and where it is known to be PHP-FPM, whose answer is only a matter of
 * time: on a busy machine workers are long in starting.
 */
const CONFIRM = 3_000;
const CONFIRM_PHP_FPM = 10_000;
/** ms for a worker to come back from what its script does behind its response. */
const TAIL = 10_000;
/** ms for a connection to outlive an answer, and the end of input behind it. */
const OUTLIVE = [15, 10] as const;

/** What it needs of the server. */
interface Examinee {
  readonly learned: Pick<Learned, 'trust' | 'backgroundWork'>;
  readonly clock: Clock;
  readonly settings: Pick<PoolSettings, 'connections'>;
  readonly target: Pick<Target, 'transport'>;
  /** The slots that have a connection, or are dialling for one. */
  readonly open: Set<Slot>;
  readonly closed: Record<CloseReason, number>;
}

/** On a connection of its own. */
interface Look {
  readonly dial: () => Promise<Connected>;
  /** ms for an answer. */
  readonly timeout: number;
  readonly stop: AbortSignal;
  /** Where nothing is said, that tells something of the server: it is well otherwise. */
  readonly silenceTells: boolean;
}

export class BackendCheck {
  readonly #trust: Trust;
  readonly #backgroundWork: BackgroundWork;
  readonly #clock: Clock;
  readonly #target: Examinee['target'];
  readonly #sender: Sender;
  readonly #early: boolean;
  readonly #connections: number;
  readonly #open: Set<Slot>;
  readonly #closed: Record<CloseReason, number>;
  /** They let time pass, as nobody knows yet what the server is. */
  readonly #waiting: Set<Connection> = new Set();
  /** Ends what is done for nobody. */
  readonly #own: AbortController = new AbortController();
  /** Resolves to whether it has answered. */
  #looking: Promise<boolean> | null = null;

  /**
   * `early`: whether something stands in between is found out behind an answer, and not when a verdict hangs on it. Of several
   * servers one that loses requests is left alone rather than waited for, so nobody is there then who could be asked.
   */
  constructor(server: Examinee, sender: Sender, early: boolean) {
    this.#trust = server.learned.trust;
    this.#backgroundWork = server.learned.backgroundWork;
    this.#clock = server.clock;
    this.#target = server.target;
    this.#sender = sender;
    this.#early = early;
    this.#connections = server.settings.connections;
    this.#open = server.open;
    this.#closed = server.closed;
  }

  /**
   * A response is whole. If its connection is kept, that may have to be asked, or waited for, before it is used; where
   * there is none, the server may be asked on a connection of its own. null: the slot is free now; else once that resolves.
   */
  behindAnswer(slot: Slot | null, exchange: Exchange | null): Promise<void> | null {
    const connection = slot?.connection ?? null;
    const isKept = connection !== null && !connection.closed;
    if (slot !== null && exchange !== null && this.#mayLook) {
      if (this.#early && this.#trust.isToBeExamined(this.#clock.now())) {
        if (this.#open.size < this.#connections) {
          void this.#examineAside(new Slot());
          return null;
        }
        // No more connections than were asked for; and its worker is free then for the one that looks.
        connection?.close('fresh-needed');
        return this.#examineAside(slot);
      }
      if (!isKept && this.#mustAskAside(exchange)) return this.#examineAside(slot);
    }
    if (isKept) this.#onKept(connection, exchange?.script ?? '');
    return null;
  }

  get #mayLook(): boolean {
    return this.#looking === null && !this.#own.signal.aborted;
  }

  /** It keeps no connection that could be asked, or may have waited for the end of its input. */
  #mustAskAside(exchange: Exchange): boolean {
    return (
      this.#trust.isToBeAsked(this.#clock.now()) && (this.#trust.keepsNone || exchange.terminatorAfter > 0)
    );
  }

  /**
   * Is anybody there? For a server that leaves requests unanswered: php-fpm says so in place of a script, as long as a worker is free.
   * False: it has not answered, or could not be asked.
   */
  async isAlive(): Promise<boolean> {
    const canBeAsked = this.#trust.isPhpFpm !== false && this.#open.size < this.#connections;
    return canBeAsked && this.#mayLook && this.#askAside(new Slot(), CONFIRM, false);
  }

  /** For nobody. */
  async #examineAside(slot: Slot): Promise<void> {
    await this.#askAside(slot, ASIDE, true);
  }

  #askAside(slot: Slot, timeout: number, silenceTells: boolean): Promise<boolean> {
    const { signal: stop } = this.#own;
    return this.#examine(slot, { dial: () => this.#sender.connect(stop, 0), timeout, stop, silenceTells });
  }

  #onKept(connection: Connection, script: string): void {
    if (this.#trust.isPhpFpm === true) {
      this.#awaitWorker(connection, script);
      return;
    }
    const what = this.#trust.behindAnswer(connection.requests, this.#clock.now());
    if (what === 'wait') this.#outlive(connection);
    else if (what === 'ask') connection.askValues(ANSWER, (reply) => this.#replied(connection, reply));
  }

  /**
   * Does the connection outlive its answer, and then the end of input, if that is still owed? There are servers that
   * close at that, as it comes under the id of a request that is over: better now than with the next one behind it.
   */
  #outlive(connection: Connection): void {
    const [first, second] = OUTLIVE;
    this.#waiting.add(connection);
    connection.waitIdle(first, (reply) => {
      if (reply.closed !== null || !connection.owesTerminator || this.#trust.isPhpFpm === true) {
        this.#replied(connection, reply);
        return;
      }
      connection.owesTerminator = false;
      connection.writer.write(encodeStdinTerminator(requestIdOf(connection.requests)));
      connection.waitIdle(second, (then) => {
        if (then.closed === 'server-closed' || then.closed === 'reset') this.#trust.onEndOfInputRefused();
        this.#replied(connection, then);
      });
    });
  }

  #replied(connection: Connection, reply: Reply): void {
    this.#waiting.delete(connection);
    const mayBeUsed = this.#trust.replied(reply, connection.requests, this.#clock.now());
    if (!mayBeUsed) connection.close('unanswered');
    // One has been told for all of them.
    if (this.#trust.isPhpFpm === true) for (const { question } of this.#waiting) question.endWait();
  }

  /** Nothing is asked any more but what a job waits for. */
  close(): void {
    this.#own.abort();
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
    const factsOf = job.exchange?.onceKnown;
    if (!factsOf || !job.exchange || job.over || job.aborted || !(error instanceof FcgiError)) return false;
    job.exchange.onceKnown = null;
    const apply = (): FcgiError => error.learn(factsOf(this.#trust));
    if (this.#trust.isKnown) {
      apply();
      return false;
    }
    const { signal: stop } = new AbortController();
    const timeout = this.#trust.isPhpFpm === true ? CONFIRM_PHP_FPM : CONFIRM;
    const look = { dial: () => this.#sender.dial(job), timeout, stop, silenceTells: true };
    void this.#examine(slot, look).then(() => {
      apply();
      judge();
    });
    return true;
  }

  /** On a connection of its own, in a slot that has none; one look is for all. Never rejects. */
  async #examine(slot: Slot, look: Look): Promise<boolean> {
    if (this.#looking !== null) return this.#looking;
    this.#looking = this.#examineNow(slot, look);
    const answered = await this.#looking;
    this.#looking = null;
    return answered;
  }

  async #examineNow(slot: Slot, { dial, timeout, stop, silenceTells }: Look): Promise<boolean> {
    this.#open.add(slot);
    let looks = 0;
    const connect = async (): Promise<Connected> => {
      const connected = await dial();
      looks++;
      return connected;
    };
    try {
      const { transport } = this.#target;
      const examined = await examineServer(connect, { transport, clock: this.#clock, timeout, stop });
      const answered = examined.values !== null;
      if (!stop.aborted && (answered || silenceTells)) this.#trust.examined(examined, this.#clock.now());
      return answered;
    } catch {
      // Nobody is there, or the job was given up: nothing is known.
      return false;
    } finally {
      this.#closed.examined += looks;
      this.#open.delete(slot);
    }
  }
}
