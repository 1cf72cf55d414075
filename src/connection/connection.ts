/**
 * One socket to one server. Runs one exchange at a time, watches itself while idle, and closes itself.
 *
 *   'idle' --send()--> 'busy' --END_REQUEST, reuse() says keep--> 'idle'
 *     |                  |--END_REQUEST, any other verdict-----> 'closed'
 *     |                  |--FIN before any byte--> probe ------> 'closed'
 *     '--byte, FIN, error, keepaliveTimeout--> 'closed' <--error, timeout, fail()--'
 */
import { encodeStdinTerminator } from '../protocol/encoder.ts';
import type { EndRequest } from '../protocol/record.ts';
import { refusal } from '../protocol/response.ts';
import { headMissing, lost } from './evidence/failure.ts';
import { type Lost, signOf } from './evidence/lost.ts';
import { probe } from './evidence/probe.ts';
import type { Exchange } from './exchange.ts';
import type { ConnectionLimits, ConnectionOwner } from './owner.ts';
import { ResponseReader } from './reader.ts';
import { type AfterExchange, type CloseReason, reuse } from './reuse.ts';
import { Activity } from './socket/activity.ts';
import type { Connected } from './socket/connect.ts';
import { Drain } from './socket/drain.ts';
import { IdleState } from './socket/idle.ts';
import type { ConnectionSocket } from './socket/socket.ts';
import { SocketWriter } from './socket/writer.ts';
import { dueTimeout } from './timeouts.ts';

export class Connection {
  readonly transport: 'unix' | 'tcp';
  /** How many requests it may carry. */
  readonly keepaliveRequests: number;
  /** Requests sent on it. */
  requests = 0;
  /** A response has been received on it: a worker has it. */
  proven = false;
  closed = false;
  /** The last request's STDIN has not been terminated: the next one does it. */
  owesTerminator = false;

  readonly #owner: ConnectionOwner;
  readonly #socket: ConnectionSocket;
  readonly #roundTrip: number;
  readonly writer: SocketWriter;
  readonly #reader: ResponseReader;
  readonly idle: IdleState;
  readonly #openedAt: number;
  readonly #lease: number;
  readonly #onClosed: ConnectionLimits['onClosed'];
  #exchange: Exchange | null = null;
  /** SCRIPT_FILENAME of the latest request. */
  #script: string | null = null;
  #stopProbe: (() => void) | null = null;
  #closingSeen = false;
  readonly #drain: Drain = new Drain();
  readonly #activity: Activity;

  constructor(
    owner: ConnectionOwner,
    { socket, incoming, roundTrip }: Connected,
    { transport, keepaliveRequests, lease, onClosed }: ConnectionLimits,
  ) {
    this.#owner = owner;
    this.#openedAt = owner.clock.now();
    this.#activity = new Activity(this.#openedAt);
    this.#socket = socket;
    this.writer = new SocketWriter(socket);
    this.transport = transport;
    this.#roundTrip = roundTrip;
    this.keepaliveRequests = keepaliveRequests;
    this.#lease = lease;
    this.#onClosed = onClosed;
    this.#reader = new ResponseReader(owner.settings.maxHeaderSize, owner.headNames);
    this.idle = new IdleState(socket);
    incoming.receive = (bytes, length) => this.#onData(bytes, length);
    socket.on('end', () => this.#onFin());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on('drain', () => {
      this.#activity.mark();
      this.#drain.end();
    });
  }

  /** May more of this exchange's body be written? Not once it is over, nor after the server's FIN. */
  takes(exchange: Exchange): boolean {
    return this.#exchange === exchange && this.#stopProbe === null;
  }

  /**
   * Sends the first bytes of a request, and all of it where `parts` says so (`null`: the rest comes by `write`).
   * True: nobody needs their memory any more, as the kernel has taken them.
   */
  send(exchange: Exchange, first: Buffer, parts: readonly Uint8Array[] | null): boolean {
    const socket = this.#socket;
    this.#exchange = exchange;
    exchange.begin(this.requests++, this.#script, this.#owner.clock.now());
    this.#script = exchange.script;
    this.owesTerminator = !exchange.terminatorSent;
    this.#activity.begin(exchange.startedAt);
    this.writer.begin();
    this.idle.end();
    this.#reader.begin(exchange);
    if (parts === null || parts.length === 0) this.writer.write(first);
    else this.writer.writeAll([first, ...parts]);
    exchange.handedOver = parts !== null;
    exchange.nothingAccepted = socket.errored !== null;
    return socket.writableLength === 0;
  }

  /** Its request is sent whole, and nothing of the response is here yet. */
  isAwaiting(exchange: Exchange): boolean {
    return this.#exchange === exchange && exchange.bytesReceived === 0 && !this.#sending(exchange);
  }

  /** More of the body of an exchange that it takes, `last` with its end; false: wait for `drained()` first. */
  write(exchange: Exchange, parts: readonly Uint8Array[], last: boolean): boolean {
    this.#activity.mark();
    const room = this.writer.writeAll(parts);
    exchange.handedOver = last;
    return room;
  }

  /** Resolves when the socket takes more, or is closed. */
  drained(): Promise<void> {
    return this.#drain.wait(this.#socket);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#socket.isPaused()) return;
    this.#activity.mark();
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
    this.#socket.destroy();
    this.#drain.end();
    this.#onClosed(reason);
  }

  /** Called every 25 ms: timeouts, the deferred terminator, idleness. */
  onBeat(now: number): void {
    const silence = this.#activity.silence(now);
    const exchange = this.#exchange;
    if (exchange !== null) this.#onBusyBeat(exchange, silence, now);
    else if (silence >= (this.#owner.idleTime || Number.POSITIVE_INFINITY)) this.close('keepalive-timeout');
    else this.idle.tick(now);
  }

  #onBusyBeat(exchange: Exchange, silence: number, now: number): void {
    const sending = this.#sending(exchange);
    const paused = this.#socket.isPaused();
    const { closing } = this.#owner;
    // The reader of a response that was paused long before gets his time as well.
    const first = closing && !this.#closingSeen;
    if (first) {
      this.#closingSeen = true;
      if (paused) this.#activity.begin(now);
    }
    const stuffed = this.#socket.writableLength > 0;
    const error = dueTimeout(exchange, sending, paused, stuffed, silence, closing && !first);
    if (error) {
      this.fail(error, 'timeout');
      return;
    }
    if (sending || exchange.terminatorSent || exchange.bytesReceived > 0 || this.#stopProbe !== null) return;
    if (silence < this.#owner.terminatorDelay) return;
    // Silent for long: perhaps a server that waits for the end of its input.
    exchange.terminatorAfter = now - exchange.startedAt;
    this.owesTerminator = false;
    this.writer.write(encodeStdinTerminator());
  }

  #onData(bytes: Buffer, length: number): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.close('trailing-bytes');
      return;
    }
    if (exchange.bytesReceived === 0) {
      exchange.firstByteAfter = this.#owner.clock.now() - exchange.startedAt;
      this.proven = true;
      exchange.bytesReceived = length;
      this.#owner.onFirstByte(exchange);
    } else {
      exchange.bytesReceived += length;
    }
    this.#read(exchange, bytes, length);
    // Warnings on STDERR, or half a head, must not put headersTimeout off for ever.
    if (exchange.headDone) this.#activity.mark();
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
    const refused = refusal(end);
    if (refused) {
      this.fail(refused, 'failed');
      return;
    }
    if (!exchange.headDone) {
      this.fail(headMissing(), 'protocol-error');
      return;
    }
    const verdict = reuse(this.#after(exchange, atBorder));
    this.owesTerminator = !exchange.terminatorSent;
    this.#exchange = null;
    if (verdict !== 'keep') this.close(verdict);
    else if (this.#socket.isPaused()) this.#socket.resume();
    exchange.listener.onComplete(end, verdict);
  }

  #after(exchange: Exchange, atBorder: boolean): AfterExchange {
    return {
      keepConn: exchange.keepConn,
      bodySent: !this.#sending(exchange),
      atBorder,
      scriptAskedClose: this.#reader.scriptAskedClose,
      requests: this.requests,
      keepaliveRequests: this.keepaliveRequests,
      age: exchange.startedAt + exchange.firstByteAfter - this.#openedAt,
      keepaliveTime: this.#lease,
      mustYield: this.#owner.mustYield(exchange),
      idleFull: this.#owner.idleFull(),
      poolClosing: this.#owner.closing,
    };
  }

  #onFin(): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.close('server-closed');
      return;
    }
    if (exchange.bytesReceived > 0) {
      this.#failed({ sign: 'fin', error: null, reason: 'failed', afterFin: 'not-probed' });
      return;
    }
    this.#stopProbe = probe(this.#socket, this.#owner.clock, this.transport, this.#roundTrip, (afterFin) => {
      const reason = afterFin === 'accepted' ? 'recycled' : 'failed';
      this.#failed({ sign: 'fin', error: null, reason, afterFin });
    });
  }

  #onError(error: NodeJS.ErrnoException): void {
    // The probe's own writes fail too; it has its answer from their callbacks.
    if (this.closed || this.#stopProbe !== null) return;
    if (this.#exchange === null) {
      this.close('reset');
      return;
    }
    this.#failed({ sign: signOf(error), error, reason: 'reset', afterFin: 'not-probed' });
  }

  #failed(cause: Lost): void {
    const exchange = this.#exchange;
    if (exchange === null || this.closed) return;
    const error = lost(cause, exchange, {
      requests: this.requests,
      sending: this.#sending(exchange),
      bytesSent: this.writer.sent,
      transport: this.transport,
      proxied: this.#owner.settings.proxied,
      elapsed: this.#owner.clock.now() - exchange.startedAt,
    });
    this.#exchange = null;
    this.#reader.stop();
    this.close(cause.reason);
    exchange.listener.onFailed(error);
  }

  #sending(exchange: Exchange): boolean {
    return !exchange.handedOver || this.#socket.writableLength > 0;
  }
}
