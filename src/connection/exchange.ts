/** One request on one connection: what was asked for, and what has been seen of it so far. */
import type { Head } from '../cgi/head.ts';
import type { FailureFacts, Phase } from '../errors.ts';
import type { EndRequest } from '../protocol/record.ts';
import type { ServerFacts } from './evidence/server.ts';
import type { CloseReason } from './reuse.ts';

/** What a connection tells of its exchange. Exactly one of onComplete and onFailed ends it. Must not throw. */
export interface ExchangeListener {
  onHead(head: Head): void;
  onData(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
  /** All that was read has been told, and the response is not whole. */
  onPart(): void;
  /** The response is whole; `verdict` is what became of the connection. */
  onComplete(end: EndRequest, verdict: 'keep' | CloseReason): void;
  /** `error` carries the facts, where it is an FcgiError. The connection is closed. */
  onFailed(error: unknown): void;
}

/** Bytes of STDERR that are kept for errors and logs. */
const STDERR_TAIL = 8 * 1024;
/** Bytes of a response that PHP-FPM gathers. */
const OUTPUT_BUFFER = 8 * 1024;

export class Exchange {
  readonly listener: ExchangeListener;
  /** On its connection. */
  readonly requestId: number;
  /** FCGI_KEEP_CONN goes out with it. */
  readonly keepConn: boolean;
  /** See Evidence. Believed when it was sent, and still. */
  readBeforeScript: boolean;
  /** ms; 0: none. */
  readonly headersTimeout: number;
  /** ms; 0: none. */
  readonly bodyTimeout: number;

  /** Of all the requests of its server, by the time of their sending. */
  order = 0;
  /** SCRIPT_FILENAME, of this request and of the one before it on the connection (null: none). */
  script = '';
  scriptBefore: string | null = null;
  /** With its body it is larger than what a server is sure to read in one go, together with the params. */
  isLarge = false;
  hasBody = false;
  /** It has a body, and nobody has said whether PHP reads it before the script. */
  mayLeaveBody = false;
  /** It is doubted that PHP does, so that the body counts as unread. */
  isBodyDoubted = false;
  /** It was lost once before, on another connection, and that rested on its body as well. */
  wasBodyLost = false;
  /** A worker was known to have the connection as it was sent. */
  isAccepted = false;
  /** It was lost in such a way that it was not run if PHP reads the body first, and else nobody knows; and nobody has said that it does. */
  restsOnBody = false;
  /** All of the body has been handed to the socket. */
  handedOver = false;
  /** Told of STDERR behind the end: its script went on after `fastcgi_finish_request()`. Must not throw. */
  onLateStderr: ((chunk: Buffer) => void) | null = null;
  /** ms between the start and the empty STDIN record; -1: it has not been sent. */
  terminatorAfter = -1;
  /** The very first write failed on the spot. */
  nothingAccepted = false;
  headDone = false;
  /** A byte of STDOUT or STDERR has come. */
  outputSeen = false;
  /** A request before it has ended once more, while nothing of its own answer was here. */
  isOtherEnded = false;
  /** Too few bytes have come to tell of which request they are. */
  ofUnknownRequest = false;
  /** Bytes have come, and they are no response: the server speaks HTTP, or answers another request. */
  isNonsense = false;
  /** What can be said of its failure once more is known of the server, where that may be that it has not run; see lost(). */
  onceKnown: ((server: ServerFacts) => Partial<FailureFacts>) | null = null;
  /** It has been silent for far longer than its script ever is. */
  overdue = false;
  /** The server to which its connection leads: see socket/endpoint.ts. */
  endpoint = '';
  /** Its connection had served a request before. */
  reused = false;
  /** ms, by the pool's clock. */
  startedAt = 0;
  /** ms, with the time in which our loop stood still: what may have happened meanwhile is part of the evidence. */
  sentAt = 0;
  /** ms between the start and the first byte of the response; -1 before. */
  firstByteAfter = -1;
  /** From the first record under its own id on; on a fresh connection all. */
  bytesReceived = 0;
  /** Once its connection is another's: how many requests were sent there, and how much of this one. */
  requestsOnConnection = 0;
  bytesSent = 0;
  /** ms for which the response stood still at the most, once it had begun. */
  stillFor = 0;
  #latestAt = -1;
  #stderr: Buffer[] | null = null;
  #stderrLength = 0;

  constructor(
    listener: ExchangeListener,
    requestId: number,
    keepConn: boolean,
    readBeforeScript: boolean,
    headersTimeout: number,
    bodyTimeout: number,
  ) {
    this.listener = listener;
    this.requestId = requestId;
    this.keepConn = keepConn;
    this.readBeforeScript = readBeforeScript;
    this.headersTimeout = headersTimeout;
    this.bodyTimeout = bodyTimeout;
  }

  /** It goes out now, on a connection to `endpoint` that has carried `requests` before it, `scriptBefore` the last of them. */
  begin(
    requests: number,
    scriptBefore: string | null,
    now: number,
    monotonic: number,
    endpoint: string = '',
  ): void {
    this.endpoint = endpoint;
    this.reused = requests > 0;
    this.scriptBefore = scriptBefore;
    this.startedAt = now;
    this.sentAt = monotonic;
  }

  /** It is whole, and its connection is free for another one. */
  leave(requests: number, bytesSent: number): void {
    this.requestsOnConnection = requests;
    this.bytesSent = bytesSent;
  }

  /** ms, by the pool's clock. */
  get firstByteAt(): number {
    return this.startedAt + this.firstByteAfter;
  }

  /** What the server writes may wait for our kernel's acknowledgement: its connection stays open, and has gone back and forth before. */
  get mayWaitForAck(): boolean {
    return this.keepConn && this.isAccepted;
  }

  /** The response has come, or may have come, in more than one piece: PHP-FPM writes as soon as it has 8 KiB. */
  get isLong(): boolean {
    return this.#latestAt >= 0 || this.bytesReceived > OUTPUT_BUFFER;
  }

  /** More of the response is here. `isOurs`: it was us who did not read. */
  goesOn(now: number, isOurs: boolean): void {
    const before = this.#latestAt < 0 ? this.firstByteAt : this.#latestAt;
    this.#latestAt = now;
    if (!isOurs) this.stillFor = Math.max(this.stillFor, now - before);
  }

  /**
   * A worker had it, and left the body unread. Before 8.2 PHP-FPM does not show that a worker has a connection: there two that left the
   * same request in a row are taken for it, as php-fpm is seldom stopped twice within one request.
   */
  get isBodyLeft(): boolean {
    return this.restsOnBody && this.isBodyDoubted && (this.isAccepted || this.wasBodyLost);
  }

  /** A record has come under its own id. */
  get isAnswered(): boolean {
    return this.bytesReceived > 0 && !this.isNonsense && !this.ofUnknownRequest;
  }

  get terminatorSent(): boolean {
    return this.terminatorAfter >= 0;
  }

  phase(sending: boolean): Phase {
    if (this.headDone) return 'body';
    if (this.bytesReceived > 0) return 'head';
    return sending ? 'sending' : 'waiting';
  }

  keepStderr(chunk: Buffer): void {
    this.#stderr ??= [];
    this.#stderr.push(Buffer.from(chunk)); // a copy: the tail must not hold the whole read in memory
    this.#stderrLength += chunk.length;
    let first = this.#stderr[0];
    while (first !== undefined && this.#stderrLength - first.length >= STDERR_TAIL) {
      this.#stderr.shift();
      this.#stderrLength -= first.length;
      first = this.#stderr[0];
    }
  }

  get stderr(): string {
    if (this.#stderr === null) return '';
    return Buffer.concat(this.#stderr).subarray(-STDERR_TAIL).toString('utf8');
  }
}
