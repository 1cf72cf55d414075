/** One reply on its way from PHP to a client. What every adapter must get right is here; how to send is the Sink's. */
import type { ProtocolError } from '../../errors.ts';
import type { DispatchController, DispatchHandler, Ended, ResponseHeaders } from '../../pool/dispatcher.ts';
import { answerFor } from './error-page.ts';
import { type FileRefusal, handedFile, type OutgoingFile, whenBroken } from './handed-file.ts';
import { type HandedOver, handoverError } from './handover.ts';
import { type OwnAnswer, type ReplyHead, replyHead, statusFor } from './head.ts';
import { clientLeft, cutReason, endedBadly, endedWell, scriptNotFound } from './outcome.ts';
import { interimStatus, misnamedHeader, tooLong, tooShort } from './php-mistakes.ts';
import type { ReplyHooks, ReplyOptions } from './reply-options.ts';
import type { Sink } from './sink.ts';
import { ReplyBuffer } from './waiting/buffer.ts';
import { type BodySink, Overflow, type OverflowOwner } from './waiting/overflow.ts';

/** Beyond its Content-Length PHP may send so much more (a newline after `?>`, mostly) before its connection is closed. */
const toleratedExcess = 65_536;

export class Reply implements DispatchHandler, OverflowOwner {
  readonly #sink: Sink;
  /** The sink, or what leads to it through a file. */
  #body: BodySink;
  readonly #method: string;
  readonly #hooks: ReplyHooks;
  readonly #options: ReplyOptions;
  #controller: DispatchController | null = null;
  #head: ReplyHead | null = null;
  #backlog: ReplyBuffer | null = null;
  #overflow: Overflow | null = null;
  /** What the client is answered; 0: nothing yet. */
  #statusCode = 0;
  #sent = 0;
  #excess = 0;
  #isOver = false;
  #hasLeft = false;
  #isHandedOver = false;
  #releases: (() => void)[] | null = null;

  constructor(sink: Sink, method: string, hooks: ReplyHooks, options: ReplyOptions) {
    this.#sink = sink;
    this.#body = sink;
    this.#method = method;
    this.#hooks = hooks;
    this.#options = options;
    sink.attach(this);
  }

  onRequestStart(controller: DispatchController): void {
    this.#controller = controller;
    if (this.#isOver && this.#hasLeft) controller.abort(clientLeft());
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    _headers: ResponseHeaders,
    statusMessage: string,
  ): void {
    this.#controller = controller;
    if (this.#isOver || this.#hasLeft) return;
    if (!this.#canAnswer) throw new Error('Another handler has begun the response, or its client has left');
    if (statusCode < 200) throw interimStatus(statusCode);
    const { kinds } = this.#options;
    const head = replyHead(this.#method, statusCode, statusMessage, controller.rawHeaders, kinds);
    if (this.#isTakenOver(head)) return;
    this.#sink.start(head);
    this.#head = head;
    this.#statusCode = head.statusCode;
    if (head.misnamed !== null) this.#hooks.report(misnamedHeader(head.misnamed), this.#status);
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    const head = this.#head;
    if (this.#isHandedOver || (this.#hasLeft && this.#isWhole && !this.#options.outlivesClient))
      this.#exceed(controller, chunk.length, 'an unwanted page');
    if (!head?.hasBody || this.#hasLeft) return;
    const room = head.contentLength === null ? chunk.length : head.contentLength - this.#sent;
    const piece = chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (piece.length > 0 && !this.#isOver) {
      this.#sent += piece.length;
      if (this.#body.write(piece)) this.#backlog?.clear();
      else if (!this.#absorbs(controller, head, piece.length)) controller.pause();
    }
    if (chunk.length > room) this.#drop(controller, chunk.length - room);
  }

  onResponseEnd(_controller: DispatchController, ended: Ended): void {
    const mismatch = this.#finishedBy(ended);
    if (mismatch) this.#fail(mismatch);
    if (ended.hint !== '') this.#hooks.report(scriptNotFound(ended), this.#status);
    if (!this.#hooks.hearsEnd) return;
    this.#hooks.ended(mismatch ? endedBadly(this.#status, mismatch, ended) : endedWell(this.#status, ended));
  }

  /** PHP has said all. What is wrong with it, if something is. */
  #finishedBy(ended: Ended): ProtocolError | null {
    const head = this.#head;
    if (this.#hasLeft && !this.#isOver) this.#finish();
    if (this.#isOver || !head) return null;
    if (head.contentLength !== null && !this.#isWhole) return tooShort(this.#sent, head.contentLength, ended);
    this.#end();
    return null;
  }

  onResponseError(controller: DispatchController, error: unknown): void {
    this.#fail(error);
    if (this.#hooks.hearsEnd) this.#hooks.ended(endedBadly(this.#status, error, controller.facts));
  }

  /** nginx's status for its log, where the client was gone before there was an answer. */
  get #status(): number {
    return this.#statusCode === 0 ? 499 : this.#statusCode;
  }

  /** Instead of a dispatch: the gateway's own answer; `error` is why, if the log should know. */
  refuse(statusCode: number, error?: unknown, headers?: Readonly<Record<string, string>>): void {
    if (this.#isOver) return;
    this.#answer(statusCode, error, headers);
    if (error !== undefined) this.#hooks.report(error, statusCode);
  }

  /** What to let go of when nothing will be read or written any more. */
  hold(release: () => void): void {
    if (this.#isOver) release();
    else this.#releases = [...(this.#releases ?? []), release];
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Neither PHP nor we have answered yet. */
  get isAwaited(): boolean {
    return !this.#isOver && this.#head === null;
  }

  /** The client can take more. */
  resume(): void {
    this.#backlog?.clear();
    if (!this.#isOver) this.#controller?.resume();
  }

  /**
   * Nobody waits for the reply any more: PHP's connection is closed, so that its worker is free. Where the client has
   * all it was promised (some servers say that they have delivered it by the same signal), the script may end first.
   */
  leave(reason?: Error): void {
    if (this.#isOver) return;
    if (reason) this.#hooks.report(reason, this.#status);
    const isAbort = !this.#isWhole || this.#head?.isStream === true;
    this.#hasLeft = true;
    if ((this.#options.outlivesClient || !isAbort) && this.#controller) {
      // it may wait for room that its client would have made; releases wait for it, as it may read the request still
      this.#controller.resume();
      return;
    }
    this.#finish();
    this.#controller?.abort(reason ?? clientLeft());
  }

  /** So that PHP's worker is free before a slow client is: what has been written waits for it here. */
  #absorbs(controller: DispatchController, head: ReplyHead, bytes: number): boolean {
    // in the file: it has PHP wait by itself
    if (this.#body !== this.#sink) return true;
    const { sendTimeout, buffering, space, tempFile } = this.#options;
    if (sendTimeout > 0) this.#sink.startSendTimeout(sendTimeout);
    if (head.isStream) return false;
    this.#backlog ??= new ReplyBuffer(buffering, space, this.#sink);
    if (this.#backlog.add(bytes)) return true;
    if (tempFile === null) return false;
    this.#overflow ??= new Overflow(this.#sink, this, controller, this.#backlog, { tempFile, sendTimeout });
    if (!this.#overflow.begin()) return false;
    this.#body = this.#overflow;
    return true;
  }

  caughtUp(): void {
    this.#body = this.#sink;
  }

  reportLate(error: unknown): void {
    this.#hooks.report(error, this.#status);
  }

  /** The one place that knows whether the client can still be told of a failure. */
  get #canAnswer(): boolean {
    return !this.#isOver && this.#body === this.#sink && this.#sink.nothingSent;
  }

  /** The client has all it was promised. */
  get #isWhole(): boolean {
    const head = this.#head;
    return head !== null && (!head.hasBody || head.contentLength === this.#sent);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    if (this.#isWhole) this.#end();
    else this.#answer(statusFor(error), error);
    this.#hooks.report(error, statusFor(error));
  }

  #end(): void {
    try {
      this.#body.end();
    } catch (error) {
      this.giveUp(error);
    }
    if (!this.#isOver) this.#finish();
  }

  /** The sink could not send what it was given. */
  giveUp(error: unknown): void {
    if (this.#isOver) return;
    this.#answer(statusFor(error), error);
    this.#hooks.report(error, statusFor(error));
    this.#controller?.abort(error);
  }

  /** An answer of our own where that is still possible; else the client must notice that there is none. */
  #answer(statusCode: number, error: unknown, headers?: Readonly<Record<string, string>>): void {
    const canAnswer = this.#canAnswer;
    this.#finish();
    if (canAnswer) this.#sendAnswer(answerFor(this.#hooks, statusCode, headers, error));
    else this.#body.cut(cutReason(error));
  }

  /** PHP leaves the client to the gateway: its own page, or a file. What PHP sends as body is dropped. */
  #isTakenOver(head: ReplyHead): boolean {
    const { intercepts, handedOver } = this.#options;
    const page =
      intercepts && head.statusCode >= 400 ? this.#hooks.errorPage(head.statusCode, undefined) : null;
    if (page) {
      this.#handOver();
      this.#sendAnswer(page);
      return true;
    }
    const find = (): HandedOver | null => handedOver?.(head.handover) ?? null;
    const file = find();
    if (file === null) return false;
    this.#handOver();
    this.#sendFile(
      file.kind === 'file'
        ? handedFile(file, head, (name) => this.#sink.requestHeader(name), this.#options.mediaTypes, find)
        : {
            statusCode: file.kind === 'missing' ? 404 : 502,
            reason: handoverError(head.handover, file.kind),
          },
    );
    return true;
  }

  #sendFile(handed: OutgoingFile | FileRefusal): void {
    if ('head' in handed) {
      this.#statusCode = handed.head.statusCode;
      whenBroken(handed, (error) => this.#hooks.report(error, this.#status));
      this.#sendFinally(() => this.#sink.file(handed, this.#options.sendTimeout));
      return;
    }
    const { statusCode, headers, reason } = handed;
    this.#sendAnswer(answerFor(this.#hooks, statusCode, headers, reason));
    if (reason !== undefined) this.#hooks.report(reason, statusCode);
  }

  #handOver(): void {
    this.#isHandedOver = true;
    this.#finish();
  }

  #sendAnswer(answer: OwnAnswer): void {
    this.#statusCode = answer.statusCode;
    this.#sendFinally(() => this.#sink.answer(this.#method === 'HEAD' ? { ...answer, body: '' } : answer));
  }

  /** Nothing can take the place of this answer: where whoever wraps the response throws, the client gets none. */
  #sendFinally(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#body.cut(cutReason(error));
      this.#hooks.report(error, this.#status);
    }
  }

  #finish(): void {
    this.#isOver = true;
    for (const release of this.#releases ?? []) release();
  }

  /** The client was promised a length: what is beyond it would be taken for the next response. */
  #drop(controller: DispatchController, bytes: number): void {
    if (this.#excess === 0) this.#hooks.report(tooLong(this.#head?.contentLength ?? 0), this.#status);
    this.#exceed(controller, bytes, 'the Content-Length');
  }

  /** What is dropped has an end. */
  #exceed(controller: DispatchController, bytes: number, what: string): void {
    this.#excess += bytes;
    if (this.#excess > toleratedExcess) controller.abort(new Error(`Far more output than ${what}`));
  }
}
