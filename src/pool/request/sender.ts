/** Brings a job's request onto a connection of one server, a kept one or a fresh one. */
import type { Clock } from '../../connection/clock.ts';
import type { Connection } from '../../connection/connection.ts';
import { TcpSockets } from '../../connection/evidence/acknowledged.ts';
import { KernelCounter } from '../../connection/evidence/kernel-counter.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { Runtime } from '../../connection/runtime.ts';
import type { Target } from '../../connection/socket/address.ts';
import type { Connected } from '../../connection/socket/connect.ts';
import { ReadBuffer } from '../../connection/socket/read-buffer.ts';
import type { RequestEncoder } from '../../protocol/encoder.ts';
import { publishClosed, traceConnect, traceServer } from '../channels.ts';
import type { Job } from '../job.ts';
import type { BackendKind } from '../learned/backend-kind.ts';
import type { BodyReading } from '../learned/body-reading.ts';
import type { Learned } from '../learned/learned.ts';
import type { PoolSettings } from '../options.ts';
import { mayGoElsewhere, retriesUnknown } from '../retry/resend.ts';
import { type Choice, whichConnection } from '../retry/which-connection.ts';
import { accepted } from '../slots/accepted.ts';
import { askKept } from '../slots/ask-kept.ts';
import { dial } from '../slots/dial.ts';
import { checkUnchanged } from './body.ts';
import { type Encoded, encodeRequest, isBodyReadBeforeScript } from './encode-request.ts';
import { sendBody } from './send-body.ts';

/**
 * ms. What our kernel sends twice to anybody can cost the proof for requests to another machine that were sent since the last look and
 * are reset late. A look costs half a millisecond of processor time.
 */
const REFRESH_INTERVAL = 1_000;

/** A request that is to be sent on the connection that is being opened. */
interface WaitingJob {
  readonly exchange: Exchange;
  readonly server: {
    /** The slots with a connection, or dialling for one. */
    readonly open: ReadonlySet<unknown>;
    readonly closed: Record<CloseReason, number>;
    /** It was taken out of the list. */
    readonly isRetired: boolean;
  };
}

export interface SenderOwner {
  readonly clock: Clock;
  readonly encoder: RequestEncoder;
  readonly bodyReading: BodyReading;
  /** A worker has its connection now: fails it where its client is likely to leave before he is answered. */
  failTooOld(job: Job): void;
}

export class Sender {
  readonly #owner: SenderOwner;
  readonly #target: Target;
  readonly #settings: PoolSettings;
  /** The same where workers may start scripts before a body is read. */
  readonly #settingsOnceChanged: PoolSettings;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #learned: Learned;
  readonly #retryRefused: boolean;
  readonly #encoder: RequestEncoder;
  readonly #readBuffer: ReadBuffer = new ReadBuffer();
  readonly #tcpSockets: TcpSockets = new TcpSockets();
  readonly #orphanResets: KernelCounter;
  readonly #retransmissions: KernelCounter;
  #refreshAt = 0;
  /** There was a connection. */
  #isKnown = false;
  /** Of dials that nobody gave up: a new one costs a tenth of what connecting does. */
  readonly #spare: AbortController[] = [];

  /** `retryRefused`: dials again within connectTimeout where the server refuses. */
  constructor(
    target: Target,
    settings: PoolSettings,
    runtime: Runtime,
    owner: SenderOwner,
    learned: Learned,
    retryRefused: boolean,
  ) {
    const { clock, encoder } = owner;
    this.#owner = owner;
    this.#target = target;
    this.#settings = settings;
    this.#settingsOnceChanged = { ...settings, postDataReading: 0, knowsPostDataReading: true };
    this.#runtime = runtime;
    this.#clock = clock;
    this.#learned = learned;
    this.#encoder = encoder;
    this.#retryRefused = retryRefused;
    const now = (): number => clock.monotonic();
    this.#orphanResets = new KernelCounter(runtime.readOrphanResets, now);
    this.#retransmissions = new KernelCounter(runtime.readRetransmissions, now);
  }

  /** There are requests; `now`: ms. */
  onTick(now: number): void {
    this.#learned.keepaliveTimes.onTick(now);
    if (now < this.#refreshAt) return;
    this.#refreshAt = now + REFRESH_INTERVAL;
    this.#retransmissions.refresh();
  }

  /** Does it go out on this kept connection? Asks its worker where that is to be known first. */
  choose(job: Job, connection: Connection): Choice {
    if (connection.idleCheck.isPending) return 'asked';
    const { body } = job;
    const { isPhpFpm, isDirect, mixesIds, answersGetValues } = this.#backendOf(connection);
    if (body === null || mixesIds) return 'fresh';
    const proxied = isDirect === false;
    const provable =
      isPhpFpm !== true ||
      (isBodyReadBeforeScript(job.snapshot.facts, body.length, this.#bodySettings) && !this.#doubtsBody(job));
    if (provable && body.kind === 'bytes' && !proxied) return 'kept';
    const choice = whichConnection({
      proxied,
      retriedAnyway: retriesUnknown(job, this.#settings),
      replayable: body.kind === 'bytes' || body.length <= this.#settings.replayBuffer,
      provable,
      settled: connection.idle.settled,
      answers: answersGetValues && this.#learned.acceptCheck.staysOpen,
    });
    if (choice === 'asked') askKept(connection);
    return choice;
  }

  /** Opens a socket for the job; rejects as `dial` does. `waiting`: that it may send its request on, so a worker must have it. */
  dial(job: Job, waiting: WaitingJob | null = null): Promise<Connected> {
    const dialling = this.#spare.pop() ?? new AbortController();
    job.dialling = dialling;
    job.exchange = null;
    job.times.enter('connecting', this.#clock.monotonic());
    const { signal } = dialling;
    const dialled = (): Promise<Connected> => this.connect(signal, job.freshFailures);
    const mayRunTwice = retriesUnknown(job, this.#settings);
    const mayLeave = mayGoElsewhere(job, this.#settings);
    const connect =
      waiting === null ? dialled : () => this.#accepted(dialled, waiting, { mayRunTwice, mayLeave }, signal);
    return traceConnect(job, this.#target, connect).finally(() => {
      job.dialling = null;
      if (!dialling.signal.aborted) this.#spare.push(dialling);
    });
  }

  #accepted(
    connect: () => Promise<Connected>,
    { exchange, server }: WaitingJob,
    { mayRunTwice, mayLeave }: { readonly mayRunTwice: boolean; readonly mayLeave: boolean },
    signal: AbortSignal,
  ): Promise<Connected> {
    const { connectTimeout } = this.#settings;
    const { headersTimeout } = exchange;
    return accepted(connect, {
      target: this.#target,
      clock: this.#clock,
      random: this.#runtime.random,
      signal,
      acceptCheck: this.#learned.acceptCheck,
      backendAt: (endpoint) => this.#learned.backendAt(endpoint),
      isProvable: exchange.readBeforeScript || mayRunTwice,
      connectTimeout,
      headersTimeout,
      retryRefused: this.#retryRefused,
      isRetired: () => mayLeave && server.isRetired,
      isOneMore: () => this.#learned.isOneMore(server.open.size),
      isPassed: () =>
        this.#learned.backend.answersGetValues && this.#learned.workers.passed(exchange) >= server.open.size,
      onAsked: () => this.#learned.asked(exchange, server.open.size),
      onAccepted: (connecting) => this.#learned.accepted(exchange, connecting),
      onClosed: (reason, openedAt) => {
        server.closed[reason]++;
        this.#learned.ended(exchange);
        publishClosed(this.#target, reason, { requests: 0, openedAt }, this.#clock.now());
      },
    });
  }

  /** Opens a socket for nobody; `failures`: see DialOptions. */
  async connect(signal: AbortSignal, failures: number): Promise<Connected> {
    const connected = await dial(this.#target, {
      runtime: this.#runtime,
      clock: this.#clock,
      readBuffer: this.#readBuffer,
      tcpSockets: this.#tcpSockets,
      signal,
      timeout: this.#settings.connectTimeout,
      retryRefused: this.#retryRefused,
      known: this.#isKnown,
      failures,
      onRefused: (error) => this.#learned.refused(error),
    });
    this.#isKnown = true;
    const isTcp = this.#target.transport === 'tcp';
    const endpoint = this.#learned.connected(connected.endpoint ?? '', isTcp);
    if (!isTcp) return connected;
    const counter = connected.isLocal ? this.#orphanResets : this.#retransmissions;
    counter.begin();
    const hasGrown = (sentAt: number): Promise<boolean> => counter.hasGrownSince(sentAt);
    return connected.isLocal
      ? { ...connected, endpoint, hasResetOrphans: hasGrown }
      : { ...connected, endpoint, hasRetransmitted: hasGrown };
  }

  /** For `connection`, or for one that is still to be opened (null). Throws FCGI_ERR_INVALID_ARG and FCGI_ERR_PARAM_TOO_LARGE. */
  encode(job: Job, connection: Connection | null, keepaliveRequests: number, closing: boolean): Encoded {
    const { body } = job;
    const backend = this.#backendOf(connection);
    if (body === null) throw new TypeError('the body of the request has not been planned');
    const keepConn =
      this.#settings.keepalive > 0 &&
      !closing &&
      (!this.#learned.keepaliveTimes.isCostly || this.#learned.isQueryDue) &&
      this.#mayServeAnother(job, backend) &&
      (connection !== null || (backend.mayKeep() && this.#learned.keepsNew)) &&
      (connection?.requests ?? 0) + 1 < keepaliveRequests;
    if (job.snapshot.facts.changesBodyReading) this.#learned.bodyReading.changed();
    const terminate = this.#learned.terminator.atOnce(backend.mayBePhpFpm);
    const doubts = this.#doubtsBody(job);
    return encodeRequest(
      this.#encoder,
      job,
      body,
      this.#bodySettings,
      keepConn,
      connection,
      terminate,
      doubts,
    );
  }

  /** Of the server that it leads to; null: of the one that the next one will lead to, by all that is known. */
  #backendOf(connection: Connection | null): BackendKind {
    return connection === null ? this.#learned.backend : this.#learned.backendAt(connection.server.endpoint);
  }

  get #bodySettings(): PoolSettings {
    return this.#learned.bodyReading.isChanged ? this.#settingsOnceChanged : this.#settings;
  }

  /** See learned/body-reading.ts. Where `postDataReading` is given no loss rests on the body, so that none is ever doubted. */
  #doubtsBody(job: Job): boolean {
    if (job.body?.length === 0) return false;
    return job.doubtsBody || this.#learned.bodyReading.isDoubted(this.#clock.now());
  }

  /** The response is whole: nobody needs the bytes of the request any more. */
  reclaim({ snapshot }: Job): void {
    snapshot.reclaim(this.#encoder);
  }

  /**
   * Is it worth while to keep the job's connection? Behind a proxy only requests that are sent again anyway go out on kept ones:
   * where there are none, its worker would be held for nothing.
   */
  #mayServeAnother(job: Job, { isPhpFpm, isDirect }: BackendKind): boolean {
    if (isDirect !== false || isPhpFpm !== true) return true;
    const { retry } = this.#settings;
    return retry === 'idempotent' || retry === 'always' || retriesUnknown(job, this.#settings);
  }

  /**
   * Its connection is there: fails the job where it can be sent no more, as its body is not what it was when it was encoded, or it has
   * waited too long for a worker, who has it now (`isAccepted`).
   */
  recheck(job: Job, isAccepted: boolean): void {
    if (isAccepted) this.#owner.failTooOld(job);
    try {
      if (job.body !== null) checkUnchanged(job.body);
    } catch (error) {
      job.fail(error);
    }
  }

  /** `open` sockets are open, this one included; `monotonic`: ms, the time. */
  send(connection: Connection, job: Job, encoded: Encoded, open: number, monotonic: number): void {
    const { exchange, first, parts } = encoded;
    job.attempts++;
    traceServer(job, this.#target);
    job.connection = connection;
    job.exchange = exchange;
    exchange.isAccepted = connection.proven;
    job.times.enter('sent', monotonic);
    this.#learned.sent(exchange, !connection.proven, open);
    job.snapshot.isTaken = connection.send(exchange, first, parts, monotonic);
    if (job.paused) connection.pause();
    if (parts === null && job.body !== null)
      void job.caller.runInAsyncScope(sendBody, undefined, connection, exchange, job.body, encoded.terminate);
  }
}
