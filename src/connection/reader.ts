/** The receiving half of an exchange: socket bytes to head, body, STDERR and the end. No socket here. */
import { Buffer } from 'node:buffer';
import { HeadParser } from '../cgi/head.ts';
import { byteAt, type EndRequest } from '../protocol/record.ts';
import { ResponseDecoder, type ResponseSink } from '../protocol/response.ts';
import type { KnownServer } from './evidence/server.ts';
import type { Exchange } from './exchange.ts';
import type { ConnectionOwner } from './owner.ts';
import { askedToClose } from './script-close.ts';

/** Bytes: Buffer.copy() makes a view first, which takes longer than so many do by hand. */
const SHORT = 64;

export class ResponseReader implements ResponseSink {
  /** Set once END_REQUEST has been read. */
  end: EndRequest | null = null;
  /** The head said `Connection: close`. */
  scriptAskedClose = false;
  /** The answer to FCGI_GET_VALUES, once it is here; where that was asked twice, once both are. */
  values: ReadonlyMap<string, Buffer> | null = null;
  readonly #decoder: ResponseDecoder = new ResponseDecoder(this);
  readonly #head: HeadParser;
  readonly #backend: Pick<KnownServer, 'onIdsMixed'>;
  readonly #onAnswer: (exchange: Exchange) => void;
  #exchange: Exchange | null = null;
  /** Whose response was the last to end well, if its STDERR is still of interest. */
  #before: Exchange | null = null;
  /** Bytes of the read that is dealt with. */
  #length = 0;
  /** Answers to FCGI_GET_VALUES that are still to come. */
  #due = 0;
  #lateStderr = false;

  /** `onAnswer`: the first record of a response is here. */
  constructor(
    { settings, headNames }: Pick<ConnectionOwner, 'settings' | 'headNames'>,
    backend: Pick<KnownServer, 'onIdsMixed'>,
    onAnswer: (exchange: Exchange) => void,
  ) {
    this.#head = new HeadParser(settings.maxHeaderSize, headNames);
    this.#backend = backend;
    this.#onAnswer = onAnswer;
  }

  /** No state of the response before survives. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.end = null;
    this.scriptAskedClose = false;
    this.#lateStderr = false;
    this.#head.reset();
    this.#decoder.begin(exchange.requestId);
  }

  /** FCGI_GET_VALUES goes out now, so many times. */
  ask(times: 1 | 2): void {
    this.values = null;
    this.#due = times;
    this.#decoder.ask();
  }

  /** The exchange is over: no more is told to its listener, but for STDERR that comes late. */
  stop(): void {
    this.#before = this.#exchange?.onLateStderr ? this.#exchange : null;
    this.#exchange = null;
  }

  /** Throws a ProtocolError. With `end` set, what it throws is about bytes behind a response that was complete. */
  push(chunk: Buffer, length: number): void {
    this.#length = length;
    const exchange = this.#exchange;
    if (exchange !== null) {
      if (exchange.bytesReceived > 0) exchange.bytesReceived += length;
      // Nobody else can be answered here; behind another request, it takes a record's id to know.
      else if (!exchange.reused) this.onAnswer();
    }
    try {
      this.#decoder.push(chunk, length);
    } catch (error) {
      if (exchange !== null) exchange.isNonsense = !this.#decoder.isAnswered;
      throw error;
    }
    if (exchange !== null) exchange.ofUnknownRequest = !this.#decoder.isAnswered && !this.#decoder.atBorder;
    if (exchange !== null && this.end === null && this.#exchange === exchange) exchange.listener.onPart();
  }

  /** See KnownServer.onStreams. */
  get endsStreams(): boolean {
    return this.#decoder.endsStreams;
  }

  /** No byte of another record has been read. */
  get atBorder(): boolean {
    return this.#decoder.atBorder;
  }

  /**
   * While no response is due: are the bytes so far well-formed? Half a record may only be STDERR of a script that goes
   * on behind its response.
   */
  get wellFormed(): boolean {
    return this.#decoder.atBorder || this.#lateStderr;
  }

  onAnswer(): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.bytesReceived > 0) return;
    exchange.bytesReceived = this.#length;
    this.#onAnswer(exchange);
  }

  onLateStderr(requestId: number, chunk: Buffer, start: number, end: number): void {
    this.#lateStderr = true;
    // Behind its END_REQUEST it may come in the same read.
    const writer = this.#exchange?.requestId === requestId ? this.#exchange : this.#before;
    if (writer?.requestId === requestId) writer.onLateStderr?.(copied(chunk, start, end));
  }

  onEndedAgain(): void {
    this.#backend.onIdsMixed();
    if (this.#exchange !== null) this.#exchange.isOtherEnded = true;
  }

  onValues(values: ReadonlyMap<string, Buffer>): void {
    if (--this.#due > 0) this.#decoder.ask();
    else this.values = values;
  }

  onStdout(chunk: Buffer, start: number, end: number): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    exchange.outputSeen = true;
    let from = start;
    if (!exchange.headDone) {
      from = this.#head.push(chunk, start, end);
      const { head } = this.#head;
      if (from < 0 || head === null) return;
      exchange.headDone = true;
      this.scriptAskedClose = askedToClose(head);
      exchange.listener.onHead(head);
    }
    // The listener may have given up meanwhile.
    if (from < end && this.#exchange === exchange) exchange.listener.onData(copied(chunk, from, end));
  }

  onStderr(chunk: Buffer, start: number, end: number): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    exchange.outputSeen = true;
    const text = copied(chunk, start, end);
    exchange.keepStderr(text);
    exchange.listener.onStderr(text);
  }

  onEndRequest(end: EndRequest): void {
    this.end = end;
  }
}

/** What is handed on: the chunk itself is overwritten by what the socket reads next. */
function copied(chunk: Buffer, start: number, end: number): Buffer {
  const length = end - start;
  const copy = Buffer.allocUnsafe(length);
  if (length > SHORT) chunk.copy(copy, 0, start, end);
  else for (let i = 0; i < length; i++) copy[i] = byteAt(chunk, start + i);
  return copy;
}
