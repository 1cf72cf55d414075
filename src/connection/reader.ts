/** The receiving half of an exchange: socket bytes to head, body, STDERR and the end. No socket here. */
import { type HeadNames, HeadParser } from '../cgi/head.ts';
import type { EndRequest } from '../protocol/record.ts';
import { ResponseDecoder, type ResponseSink } from '../protocol/response.ts';
import type { Exchange } from './exchange.ts';
import { askedToClose } from './script-close.ts';

export class ResponseReader implements ResponseSink {
  /** Set once END_REQUEST has been read. */
  end: EndRequest | null = null;
  /** The head said `Connection: close`. */
  scriptAskedClose = false;
  readonly #decoder: ResponseDecoder = new ResponseDecoder(this);
  readonly #head: HeadParser;
  #exchange: Exchange | null = null;

  constructor(maxHeaderSize: number, names: HeadNames) {
    this.#head = new HeadParser(maxHeaderSize, names);
  }

  /** No state of the response before survives. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.end = null;
    this.scriptAskedClose = false;
    this.#head.reset();
    this.#decoder.begin();
  }

  /** Nothing more is told to the exchange's listener. */
  stop(): void {
    this.#exchange = null;
  }

  /** Throws a ProtocolError. With `end` set, what it throws is about bytes behind a response that was complete. */
  push(chunk: Buffer, length: number): void {
    this.#decoder.push(chunk, length);
  }

  /** No byte of another record has been read. */
  get atBorder(): boolean {
    return this.#decoder.atBorder;
  }

  onStdout(chunk: Buffer, start: number, end: number): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
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
  const copy = Buffer.allocUnsafe(end - start);
  chunk.copy(copy, 0, start, end);
  return copy;
}
