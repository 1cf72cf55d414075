/**
 * This folder: one socket to one server, and what its end proves. It imports protocol, cgi and the errors, no pool.
 * A Connection runs one exchange at a time, watches itself while idle, and closes itself.
 *   'idle' --send()--> 'busy' --END_REQUEST, reuse() says keep--> 'idle'
 *     |                  |--END_REQUEST, any other verdict-----> 'closed'
 *     |                  |--FIN before any byte--> probe ------> 'closed'
 *     |--sendGetValues()--> 'checking' --answer--> 'idle'; FIN, error, silence--> 'closed'
 *     '--byte, FIN, error, keepaliveTimeout--> 'closed' <--error, timeout, fail()--'
 */
import { TimeoutError } from '../errors.ts';
import type { EndRequest } from '../protocol/record.ts';
import { refusal } from '../protocol/response.ts';
import { exchangeError, headMissing } from './evidence/failure.ts';
import { type PrematureClose, signOf } from './evidence/premature-close.ts';
import { type Probed, probe } from './evidence/probe.ts';
import { askSentTwice } from './evidence/sent-twice.ts';
import type { KnownServer } from './evidence/server.ts';
import type { Exchange } from './exchange.ts';
import { getValuesRecords } from './get-values.ts';
import { IdleCheck, type OnIdleCheck } from './idle-check.ts';
import type { ConnectionLimits, ConnectionOwner } from './owner.ts';
import { ResponseReader } from './reader.ts';
import { type CloseReason, reuse } from './reuse.ts';
import { Activity } from './socket/activity.ts';
import type { Connected } from './socket/connect.ts';
import { IdleState } from './socket/idle.ts';
import { type ConnectionSocket, destroyBehind } from './socket/socket.ts';
import { SocketWriter } from './socket/writer.ts';
import { dueAfter } from './timeouts.ts';

export class Connection {
  readonly writer: SocketWriter;
  /** What is known of the server that it leads to. */
  readonly server: KnownServer;
  /** Requests sent on it; and of those, answered to the end. */
  requests = 0;
  answered = 0;
  /** A worker has it: it has answered, be it FCGI_GET_VALUES. Since when, ms, by the owner's clock, as far as that is known. */
  proven: boolean;
  heldSince: number;
  closed = false;
  /** While it is open the connection is neither idle nor busy; see sendGetValues and waitIdle. */
  readonly idleCheck: IdleCheck = new IdleCheck();
  /** The last request's STDIN has not been terminated: the next one does it. */
  owesTerminator = false;
  readonly #owner: ConnectionOwner;
  readonly #socket: ConnectionSocket;
  readonly #probed: Probed;
  readonly #reader: ResponseReader;
  readonly idle: IdleState;
  /** ms, by the owner's clock. */
  readonly openedAt: number;
  readonly limits: ConnectionLimits;
  #exchange: Exchange | null = null;
  #latestScript: string | null = null;
  #stopProbe: (() => void) | null = null;
  #closingSeen = false;
  readonly #activity: Activity;

  constructor(owner: ConnectionOwner, connected: Connected, limits: ConnectionLimits) {
    const { socket, incoming } = connected;
    this.#owner = owner;
    this.openedAt = connected.openedAt ?? owner.clock.now();
    this.#activity = new Activity(owner.clock.now());
    this.#socket = socket;
    this.writer = new SocketWriter(socket, this.#activity);
    this.#probed = { ...connected, transport: limits.transport };
    this.limits = limits;
    this.proven = connected.isAccepted === true;
    this.heldSince = owner.clock.now();
    this.server = owner.learned.backendAt(connected.endpoint ?? '');
    this.#reader = new ResponseReader(owner, this.server, this.#onAnswer);
    this.idle = new IdleState(socket);
    incoming.receive = (bytes, length) => this.#onData(bytes, length);
    socket.on('end', () => this.#onFin());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
  }

  /**
   * Asks FCGI_GET_VALUES while idle, `times` in one go, and closes if that is not answered within `timeout` ms (checked every 25 ms).
   * `onResult` is called once, not from within; nothing may be sent before that. `isLate`: as it is known to be.
   */
  sendGetValues(timeout: number, onResult: OnIdleCheck, isLate = false, times: 1 | 2 = 1): void {
    this.waitIdle(timeout, onResult, false, isLate);
    this.#reader.ask(times);
    this.writer.write(getValuesRecords(times));
  }

  /** Lets `time` ms go by in the same state, and sends nothing: does the server close the connection behind its last answer? */
  waitIdle(time: number, onResult: OnIdleCheck, onlyTime = true, isLate = false): void {
    this.idleCheck.begin(this.#owner.clock.now() + time, onlyTime, onResult, isLate);
    this.idle.end();
  }

  /** May more of this exchange's body be written? Not once it is over, nor after the server's FIN. */
  takes(exchange: Exchange): boolean {
    return this.#exchange === exchange && this.#stopProbe === null;
  }

  /**
   * The first bytes of a request, and all of it where `parts` says so; the rest comes by `writer.continue`.
   * True: nobody needs their memory any more, as the kernel has taken them. `monotonic`: the time, by the owner's clock.
   */
  send(exchange: Exchange, first: Buffer, parts: readonly Uint8Array[] | null, monotonic: number): boolean {
    const now = this.#owner.clock.at(monotonic);
    this.#exchange = exchange;
    exchange.begin(this.requests++, this.#latestScript, now, monotonic, this.server.endpoint);
    this.#latestScript = exchange.script;
    this.#activity.begin(now);
    this.idle.end();
    this.#reader.begin(exchange);
    return this.writer.begin(exchange, first, parts);
  }

  /** Its request is sent whole, and nothing of the response is here yet. */
  isAwaiting(exchange: Exchange): boolean {
    return this.#exchange === exchange && exchange.bytesReceived === 0 && !this.writer.isSending(exchange);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#socket.isPaused()) return;
    this.#activity.mark();
    this.#exchange?.goesOn(this.#owner.clock.now(), true);
    this.#socket.resume();
  }

  /** Ends the exchange with `error` and closes the connection. */
  fail(error: unknown, reason: CloseReason): void {
    this.#failed({ sign: 'other', error, reason, afterFin: 'not-probed' });
  }

  /** Closes an idle connection, or one whose exchange has ended. */
  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#stopProbe?.();
    destroyBehind(this.#socket, reason === 'not-kept' ? this.#owner.clock : null);
    this.writer.close();
    this.limits.onClosed(reason);
    this.idleCheck.close(reason);
  }

  /** Called every 25 ms: timeouts, the deferred terminator, idleness. */
  onTick(now: number): void {
    const silence = this.#activity.silence(now);
    if (this.#exchange !== null) this.#onBusyTick(this.#exchange, silence, now);
    else if (this.idleCheck.isPending) {
      if (this.idleCheck.isOverdue(now)) this.close('unanswered');
    } else if (this.#owner.learned.keepaliveTimes.isIdleTimeOver(silence, now - this.openedAt, this.requests))
      this.close('keepalive-timeout');
    else this.idle.tick(now);
  }

  #onBusyTick(exchange: Exchange, silence: number, now: number): void {
    const closing = this.limits.isPoolClosing();
    const paused = this.#socket.isPaused();
    // A reader who paused it long before gets his time as well.
    const first = closing && !this.#closingSeen;
    this.#closingSeen = closing;
    if (first && paused) this.#activity.begin(now);
    const due = dueAfter(silence, exchange, {
      sending: this.writer.isSending(exchange),
      paused,
      backpressured: this.#socket.writableLength > 0,
      closing: closing && !first,
      ended: this.#stopProbe !== null,
      terminatorDelay: this.#owner.learned.terminatorDelay(exchange),
      isPhpFpm: this.server.isPhpFpm === true,
    });
    if (due instanceof TimeoutError) this.fail(due, 'timeout');
    else if (due === 'terminator') this.writer.terminate(exchange, this.#owner.clock, this);
  }

  readonly #onAnswer = (exchange: Exchange): void => {
    exchange.firstByteAfter = this.#owner.clock.now() - exchange.startedAt;
    this.heldSince = this.#owner.learned.firstByte(exchange, this);
    this.proven = true;
  };

  #onData(bytes: Buffer, length: number): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#readIdle(bytes, length);
      return;
    }
    if (exchange.bytesReceived > 0) exchange.goesOn(this.#owner.clock.now(), false);
    this.#read(exchange, bytes, length);
    // Warnings on STDERR, or half a head, must not put headersTimeout off for ever.
    if (exchange.headDone) this.#activity.mark();
  }

  #readIdle(bytes: Buffer, length: number): void {
    try {
      this.#reader.push(bytes, length);
    } catch {
      this.close('trailing-bytes');
      return;
    }
    if (this.idleCheck.isPending && this.#reader.values !== null) {
      this.#activity.mark();
      this.idleCheck.answer(this.#reader.values);
    } else if (!this.#reader.wellFormed) this.close('trailing-bytes');
  }

  #read(exchange: Exchange, bytes: Buffer, length: number): void {
    const reader = this.#reader;
    let atBorder = false;
    try {
      reader.push(bytes, length);
      ({ atBorder } = reader);
    } catch (error) {
      // Bytes behind the end spoil the connection, not the response that was complete before them.
      if (reader.end === null) this.fail(error, 'protocol-error');
    }
    if (reader.end !== null) this.#complete(exchange, reader.end, atBorder);
  }

  #complete(exchange: Exchange, end: EndRequest, atBorder: boolean): void {
    if (this.#exchange !== exchange) return;
    this.server.onStreams(this.#reader.endsStreams);
    const wrong = refusal(end) ?? (exchange.headDone ? null : headMissing());
    if (wrong) {
      this.fail(wrong, wrong.code === 'FCGI_ERR_HEAD_MISSING' ? 'protocol-error' : 'failed');
      return;
    }
    this.#owner.learned.keepaliveTimes.answered(exchange, exchange.firstByteAt);
    const verdict = reuse({
      keepConn: exchange.keepConn,
      bodySent: !this.writer.isSending(exchange),
      bodyUnread: exchange.isLarge && this.server.isPhpFpm !== true,
      atBorder,
      scriptAskedClose: this.#reader.scriptAskedClose,
      requests: this.requests,
      keepaliveRequests: this.limits.keepaliveRequests,
      leaseOver: this.#owner.learned.keepaliveTimes.isLeaseOver(this, exchange.firstByteAt),
      isQueryDue: this.#owner.learned.isQueryDue,
      mustYield: this.#owner.learned.mustYield(exchange),
      idleFull: this.#owner.idleFull(),
      poolClosing: this.#owner.closing,
    });
    this.owesTerminator = !exchange.terminatorSent;
    this.#exchange = null;
    this.#reader.stop();
    this.answered++;
    if (verdict !== 'keep') this.close(verdict);
    else if (this.#socket.isPaused()) this.#socket.resume();
    exchange.listener.onComplete(end, verdict);
  }

  #onFin(): void {
    const exchange = this.#exchange;
    if (exchange === null) this.close('server-closed');
    else if (exchange.bytesReceived > 0 || this.server.isDirect === false)
      this.#failed({ sign: 'fin', error: null, reason: 'failed', afterFin: 'not-probed' });
    else this.#probe(exchange);
  }

  #probe(exchange: Exchange): void {
    const after = this.#owner.clock.monotonic() - exchange.sentAt;
    this.#stopProbe = probe(this.#probed, exchange, after, this.#owner.clock, (afterFin) => {
      if (afterFin === 'accepted' && !exchange.reused) this.server.onHalfClosed();
      const hasLeft = exchange.reused && (afterFin === 'accepted' || afterFin === 'crossed');
      this.#failed({ sign: 'fin', error: null, reason: hasLeft ? 'recycled' : 'failed', afterFin, after });
    });
  }

  #onError(error: NodeJS.ErrnoException): void {
    // The probe's own writes fail too; it has its answer from their callbacks.
    if (this.closed || this.#stopProbe !== null) return;
    const exchange = this.#exchange;
    const cause = { sign: signOf(error), error, reason: 'reset', afterFin: 'not-probed' } as const;
    const sent = { bytes: this.writer.sent, now: this.#owner.clock.monotonic() };
    if (exchange === null) this.close('reset');
    else if (this.writer.isSending(exchange)) this.#failed(cause);
    else this.#stopProbe = askSentTwice(this.#probed, exchange, sent, cause, (seen) => this.#failed(seen));
  }

  #failed(cause: PrematureClose): void {
    const exchange = this.#exchange;
    if (exchange === null || this.closed) return;
    const error = exchangeError(cause, exchange, {
      requests: this.requests,
      sending: this.writer.isSending(exchange),
      bytesSent: this.writer.sent,
      transport: this.#probed.transport,
      isLocal: this.#probed.isLocal,
      server: this.server,
      bodyReading: this.#owner.learned.bodyReading,
      elapsed: this.#owner.clock.monotonic() - exchange.sentAt,
    });
    this.#exchange = null;
    this.#reader.stop();
    this.close(cause.reason);
    exchange.listener.onFailed(error);
  }
}
