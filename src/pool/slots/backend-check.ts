/** Finds out what the server is, where the pool does not know yet: after a response, or once a failed request depends on it. */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import type { Exchange } from '../../connection/exchange.ts';
import { getValues } from '../../connection/get-values.ts';
import type { IdleCheckResult } from '../../connection/idle-check.ts';
import type { Connected } from '../../connection/socket/connect.ts';
import { FcgiError } from '../../errors.ts';
import { encodeStdinTerminator, requestIdOf } from '../../protocol/encoder.ts';
import type { Job } from '../job.ts';
import type { BackendKind } from '../learned/backend-kind.ts';
import type { Learned } from '../learned/learned.ts';
import type { PoolSettings } from '../options.ts';
import type { Sender } from '../request/sender.ts';
import { retriesUnknown } from '../retry/resend.ts';
import { ANSWER_TIMEOUT } from './ask-kept.ts';
import { type DetectedServer, Detection, type DetectOptions, onExamined } from './detection.ts';
import { closeIdle, Slot } from './slot.ts';

/** ms for an answer on a connection opened for that alone: it may have to wait for a worker. */
const OWN_CONNECTION_TIMEOUT = 500;
/** The same where the fate of a request hangs on it; and of PHP-FPM, whose workers are long in starting on a busy machine. */
const CONFIRM_TIMEOUT = 3_000;
const CONFIRM_PHP_FPM_TIMEOUT = 10_000;
/** ms for a worker to finish what its script does after its response. */
const BACKGROUND_WORK_TIMEOUT = 10_000;
/** ms in which a connection must not be closed: after a response, and after the end of input that follows it. */
const CLOSE_WAITS = [15, 10] as const;

/** What the check needs of the server. */
interface CheckedServer extends DetectedServer {
  readonly learned: Learned;
  readonly settings: Pick<PoolSettings, 'connections' | 'retry'>;
}

export class BackendCheck {
  readonly #learned: CheckedServer['learned'];
  readonly #clock: Clock;
  readonly #sender: Sender;
  readonly #detectsEarly: boolean;
  readonly #settings: CheckedServer['settings'];
  readonly #open: Set<Slot>;
  readonly #server: CheckedServer;
  /** Connections that wait for a close, as it is not known yet what the server is. */
  readonly #waiting: Set<Connection> = new Set();
  /** Ends the checks that no job waits for. */
  readonly #stop: AbortController = new AbortController();
  /** Jobs that wait for one, and what ends it when all of them are over. */
  readonly #confirming: Set<Job> = new Set();
  #confirmStop: AbortController = new AbortController();
  /** So many slots look at the server, and will be free in a moment. */
  held = 0;
  readonly detection: Detection;

  /**
   * A proxy is looked for once a connection has gone as its time was over, and not only once a failed request depends on it: another
   * server may stand there by then. `early`: after the first response. An Upstream needs that: it stops using a server that loses
   * requests, so it would never be asked.
   */
  constructor(server: CheckedServer, sender: Sender, early: boolean) {
    this.#learned = server.learned;
    this.#clock = server.clock;
    this.#sender = sender;
    this.detection = new Detection(server, early);
    this.#detectsEarly = early;
    this.#settings = server.settings;
    this.#open = server.open;
    this.#server = server;
  }

  /**
   * A response is whole. If its connection is kept, that may have to be asked, or waited for, before it is used; else the
   * server may be, on a connection of its own. null: the slot is free now; else once that resolves.
   */
  afterResponse(slot: Slot | null, exchange: Exchange | null): Promise<void> | null {
    const connection = slot?.connection ?? null;
    const isKept = connection !== null && !connection.closed;
    const backend = this.#learned.backend;
    // The hot path: most servers are known. Another may stand at the address by now, and it would be that one that is seen.
    if (slot && exchange?.endpoint === backend.endpoint && !backend.isSettled && this.#mayDetect) {
      const now = this.#clock.monotonic();
      const { connections } = this.#settings;
      const isGivenBack = !isKept && slot.isGivenBack;
      const isDue = this.#detectsEarly
        ? backend.isProxyCheckDue(now)
        : backend.isProxyCheckWorthwhile(now, isGivenBack);
      // The place of a connection that was given back is the next request's.
      const inUse = this.#open.size + (this.#detectsEarly ? 0 : 1);
      if (isDue && inUse < connections && !this.detection.gaveWay) this.#detectBeside();
      // Else there would be more connections than `connections`; and the check gets the worker of this one. A Pool of one keeps that.
      else if (
        (isDue && (this.#detectsEarly || connections > 1)) ||
        this.#needsOwnConnection(isKept, exchange)
      ) {
        connection?.close('fresh-needed');
        return this.#detectSeparately(slot);
      }
    }
    if (isKept) this.#onKept(connection, exchange?.script ?? '');
    return null;
  }

  /** A connection has been idle for as long as it may: what is to be seen on others costs no request its connection. */
  onIdleClosed(): void {
    if (this.#mayDetect && this.#learned.backend.isProxyCheckDue(this.#clock.monotonic()))
      this.#detectBeside();
  }

  get #mayDetect(): boolean {
    return !this.detection.isRunning && !this.#stop.signal.aborted;
  }

  /** It keeps none that could be asked, or may have waited for the end of its input. */
  #needsOwnConnection(isKept: boolean, exchange: Exchange): boolean {
    const { backend } = this.#learned;
    const cannotBeAsked = !isKept && (backend.closesAll || exchange.terminatorAfter > 0);
    return (backend.wantsOwnConnection || cannotBeAsked) && backend.isQueryDue(this.#clock.monotonic());
  }

  /**
   * Is anybody there? For a server that leaves requests unanswered, or has shown nothing for a while: php-fpm says so in place of a
   * script, as long as a worker is free. False: it has not answered, or could not be asked.
   */
  async isAlive(): Promise<boolean> {
    const { isPhpFpm } = this.#learned.backend;
    if (isPhpFpm === false || this.#stop.signal.aborted) return false;
    // Not one more than `connections`; and it gets the worker of this one.
    if (this.#open.size >= this.#settings.connections) closeIdle(this.#open, 'fresh-needed', 1);
    if (this.#open.size >= this.#settings.connections) return false;
    const slot = new Slot();
    if (isPhpFpm === true) return this.#query(slot);
    return this.detection.run(slot, this.#options(CONFIRM_TIMEOUT, false));
  }

  /** Nothing is to be found out but that it answers. */
  async #query(slot: Slot): Promise<boolean> {
    const { signal } = this.#stop;
    this.#open.add(slot);
    try {
      const connected = await this.#sender.connect(signal, 0);
      const openedAt = this.#clock.now();
      const once = { timeout: CONFIRM_TIMEOUT, times: 1, inTurn: false } as const;
      const { values } = await getValues(connected, { ...once, clock: this.#clock, signal });
      connected.socket.destroy();
      onExamined(this.#server, openedAt);
      if (values !== null) this.#learned.backendAt(connected.endpoint ?? '').onValues(values);
      return values !== null;
    } catch {
      return false;
    } finally {
      this.#open.delete(slot);
    }
  }

  #detectBeside(): void {
    this.detection.runBeside(this.#options(OWN_CONNECTION_TIMEOUT, true));
  }

  /** No job waits for it. */
  async #detectSeparately(slot: Slot): Promise<void> {
    this.held++;
    await this.detection.run(slot, this.#options(OWN_CONNECTION_TIMEOUT, true));
    this.held--;
  }

  #options(timeout: number, countsSilence: boolean): DetectOptions {
    const dial = (stop: AbortSignal): Promise<Connected> => this.#sender.connect(stop, 0);
    return { dial, timeout, stop: this.#stop.signal, countsSilence };
  }

  #onKept(connection: Connection, script: string): void {
    const backend = this.#backendOf(connection);
    if (backend.isPhpFpm === true) {
      this.#awaitWorker(connection, script);
      return;
    }
    const { requests, owesTerminator } = connection;
    const what = backend.afterResponse(requests, this.#clock.monotonic(), owesTerminator);
    if (what === 'wait') this.#waitForClose(connection, script);
    else if (what === 'ask')
      connection.sendGetValues(ANSWER_TIMEOUT, (reply) => {
        this.#onIdleCheck(connection, reply, true);
        if (backend.isPhpFpm === true) this.#askOnceMore(connection);
      });
  }

  /**
   * It has answered. Before 8.2 PHP-FPM closes behind that, and the next request must not run into its close: behind a proxy nobody
   * could tell that it was not run. A second answer says that the connection stays.
   */
  #askOnceMore(connection: Connection): void {
    if (!connection.closed) connection.sendGetValues(ANSWER_TIMEOUT, () => {});
  }

  /**
   * Does the connection outlive its answer, and then the end of input, if that is still owed? There are servers that
   * close at that, as it comes under the id of a request that is over: better now than with the next one behind it.
   */
  #waitForClose(connection: Connection, script: string): void {
    const [first, second] = CLOSE_WAITS;
    const backend = this.#backendOf(connection);
    const endedAt = this.#clock.now();
    this.#waiting.add(connection);
    const onEnd = (reply: IdleCheckResult): void => {
      this.#onIdleCheck(connection, reply, false);
      // Another connection has shown meanwhile that it is; whether this one's worker is back is still to be asked.
      if (backend.isPhpFpm === true && !connection.closed) this.#awaitWorker(connection, script, endedAt);
    };
    connection.waitIdle(first, (reply) => {
      if (reply.closed !== null || !connection.owesTerminator || backend.isPhpFpm === true) {
        onEnd(reply);
        return;
      }
      connection.owesTerminator = false;
      connection.writer.write(encodeStdinTerminator(requestIdOf(connection.requests)));
      connection.waitIdle(second, (then) => {
        if (then.closed === null) backend.onEndOfInputTaken();
        else if (then.closed === 'server-closed' || then.closed === 'reset') backend.onEndOfInputRefused();
        onEnd(then);
      });
    });
  }

  #onIdleCheck(connection: Connection, reply: IdleCheckResult, wasAsked: boolean): void {
    this.#waiting.delete(connection);
    const backend = this.#backendOf(connection);
    const now = this.#clock.monotonic();
    const mayBeUsed = backend.onIdleCheck(reply, connection.requests, now, wasAsked);
    if (!mayBeUsed) connection.close('unanswered');
    if (backend.isPhpFpm !== true) return;
    // The answer on one connection is enough for all that lead to the same server: they need not wait.
    for (const { server, idleCheck } of this.#waiting)
      if (server.endpoint === backend.endpoint) idleCheck.endWait();
  }

  #backendOf({ server }: Connection): BackendKind {
    return this.#learned.backendAt(server.endpoint);
  }

  /** Stops all checks but those that a job waits for, which is not over. */
  close(): void {
    this.#stop.abort();
    if ([...this.#confirming].every((job) => job.over)) this.#confirmStop.abort();
  }

  /**
   * Is the worker back from this script, of which the pool is not sure? Until then nothing is sent to it. `endedAt`: ms, when its
   * response was whole; null: now.
   */
  #awaitWorker(connection: Connection, script: string, endedAt: number | null = null): void {
    if (this.#learned.backend.isConfigured || !this.#learned.backgroundWork.mustCheck(script)) return;
    const since = endedAt ?? this.#clock.now();
    const { backgroundWork, keepaliveTimes } = this.#learned;
    const onReply = ({ values, closed }: IdleCheckResult): void => {
      // That a connection was closed for a reason of ours says nothing about its worker.
      if (values !== null || closed === 'server-closed' || closed === 'unanswered')
        backgroundWork.workerReturned(script, since, this.#clock.now(), keepaliveTimes.connect);
      this.#askOnceMore(connection);
    };
    connection.sendGetValues(BACKGROUND_WORK_TIMEOUT, onReply, backgroundWork.isLate(script));
  }

  /**
   * A job has failed, and was not run if the server is PHP-FPM, with no proxy in between, of which not all is known.
   * Looks, and then the job fails once more, with the error set right. False: that is not the case. While it looks, the job is not
   * over. Of an Upstream, another server gets at once what may run twice.
   */
  confirm(job: Job, error: unknown): boolean {
    const { slot, exchange } = job;
    const backend = this.#learned.backendAt(exchange?.endpoint ?? '');
    if (error instanceof FcgiError && error.code === 'FCGI_ERR_RECORD_ID') backend.onIdsMixed();
    const factsOf = exchange?.onceKnown;
    if (!factsOf || slot === null || job.over || job.aborted || !(error instanceof FcgiError)) return false;
    if (this.#detectsEarly && retriesUnknown(job, this.#settings)) return false;
    exchange.onceKnown = null;
    this.#learned.ended(exchange);
    const apply = (): FcgiError => error.learn(factsOf(backend));
    // Another stands there now: of the one that it was sent to no more is to be seen.
    if (backend.isKnown || backend !== this.#learned.backend) {
      apply();
      return false;
    }
    if (this.#confirming.size === 0) this.#confirmStop = new AbortController();
    this.#confirming.add(job);
    const { signal: stop } = this.#confirmStop;
    const most = backend.isPhpFpm === true ? CONFIRM_PHP_FPM_TIMEOUT : CONFIRM_TIMEOUT;
    const timeout = exchange.headersTimeout > 0 ? Math.min(most, exchange.headersTimeout) : most;
    const options = { dial: () => this.#sender.dial(job), timeout, stop, countsSilence: true };
    void this.detection.runFor(job, slot, options).then(() => {
      this.#confirming.delete(job);
      apply();
      job.onFailed(error);
    });
    return true;
  }
}
