/** Sends a Reply the way a framework sends its own: what hooks, sessions and compression do to a reply, they do to this one. */
import type { Readable } from 'node:stream';
import { FilePart } from '../../site/static/file-part.ts';
import type { OutgoingFile } from '../handed-file.ts';
import type { OwnAnswer, ReplyHead } from '../head.ts';
import { BodyStream } from './body-stream.ts';
import { CoalescingSink } from './coalescing-sink.ts';
import { checkHttp2Head } from './node-headers.ts';
import {
  cutShort,
  destroyResponse,
  flushHead,
  isGone,
  isHttp2,
  type NodeRequest,
  type NodeResponse,
} from './node-response.ts';
import { SendTimeout } from './send-timeout.ts';

/** What a framework can do. Each reply calls one of the two, once. */
export interface Framework {
  /** Null: there is no body, and no more is to be said of it. */
  send(head: ReplyHead, body: Buffer | Readable | null): void;
  answer(answer: OwnAnswer): void;
}

export class FrameworkSink extends CoalescingSink {
  readonly #framework: Framework;
  readonly #timeout: SendTimeout;
  #body: BodyStream | null = null;
  #file: FilePart | null = null;
  #isGiven = false;

  constructor(request: NodeRequest, response: NodeResponse, framework: Framework) {
    super(request, response);
    this.#framework = framework;
    this.#timeout = new SendTimeout(
      response,
      () => this.#giveUp(),
      (callback) => this.whenTaken(callback),
    );
  }

  override get nothingSent(): boolean {
    return !this.#isGiven && super.nothingSent;
  }

  override startSendTimeout(timeout: number): void {
    this.#timeout.start(timeout);
  }

  protected override check(head: ReplyHead): void {
    if (isHttp2(this.response)) checkHttp2Head(head);
  }

  protected override begin(head: ReplyHead, piece: Buffer | null): void {
    const body = new BodyStream({
      resume: () => {
        this.#timeout.stop();
        this.reply?.resume();
      },
      leave: () => this.reply?.leave(),
      onPiped: (destination) => {
        // a page may be long in coming: its head would be kept back until then
        if (destination === this.response && !this.response.headersSent && body.readableLength === 0)
          flushHead(this.response, head);
      },
    });
    this.#body = body;
    if (piece) body.accept(piece);
    this.#give(head, head.hasBody ? body : null);
  }

  protected override more(chunk: Buffer): boolean {
    return this.#body?.accept(chunk) ?? true;
  }

  protected override finish(): void {
    this.#body?.finish();
  }

  protected override sendWhole(head: ReplyHead, piece: Buffer | null): void {
    this.#give(head, head.hasBody ? (piece ?? Buffer.alloc(0)) : null);
  }

  protected override breakOff(): void {
    cutShort(this.response);
    this.#body?.destroy();
  }

  override file({ head, body }: OutgoingFile, sendTimeout: number): void {
    if (isGone(this.response)) {
      if (body instanceof FilePart) body.destroy();
      return;
    }
    this.#file = body instanceof FilePart ? body : null;
    if (this.#file && sendTimeout > 0) this.#timeout.start(sendTimeout);
    this.#give(head, body);
  }

  #giveUp(): void {
    destroyResponse(this.response);
    // see pipeFile()
    this.#file?.destroy();
  }

  #give(head: ReplyHead, body: Buffer | Readable | null): void {
    this.#isGiven = true;
    this.#framework.send(head, body);
  }

  protected override sendAnswer(answer: OwnAnswer): void {
    this.#isGiven = true;
    // what is left of a body that has stalled would hold the connection
    const isLast = answer.statusCode === 408 && !isHttp2(this.response);
    const headers = isLast ? { ...answer.headers, Connection: 'close' } : answer.headers;
    this.#framework.answer({ ...answer, headers });
  }
}
