/** Sends a Reply the way a framework sends its own: what hooks, sessions and compression do to a reply, they do to this one. */

import { BodyStream } from './body-stream.ts';
import type { OwnAnswer, ReplyHead } from './head.ts';
import { checkHttp2Head } from './node-headers.ts';
import {
  cutShort,
  flushHead,
  freeRequest,
  isGone,
  isHttp2,
  type NodeRequest,
  type NodeResponse,
  NodeSink,
} from './node-sink.ts';
import { SendTimeout } from './send-timeout.ts';
import type { OutgoingFile, Refused, Sink, Steered } from './sink.ts';

/** What a framework can do. Each reply calls one of the three, once. */
export interface Framework {
  /** Null: there is no body, and no more is to be said of it. */
  send(head: ReplyHead, body: Buffer | BodyStream | null): void;
  answer(answer: OwnAnswer): void;
  /** It goes out by node's response object, past the framework, with the headers that the framework has. */
  stepAside(): void;
}

export class FrameworkSink implements Sink {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #framework: Framework;
  readonly #timeout: SendTimeout;
  #reply: Steered | null = null;
  /** Head and first piece, held until PHP's bytes that have arrived together are read: most pages end with them. */
  #head: ReplyHead | null = null;
  #piece: Buffer | null = null;
  #body: BodyStream | null = null;
  #isGiven = false;

  constructor(request: NodeRequest, response: NodeResponse, framework: Framework) {
    this.#request = request;
    this.#response = response;
    this.#framework = framework;
    this.#timeout = new SendTimeout(response, () => response.destroy());
  }

  attach(reply: Steered): void {
    this.#reply = reply;
  }

  get isFresh(): boolean {
    return !this.#isGiven && !this.#response.headersSent && !isGone(this.#response);
  }

  start(head: ReplyHead, fail: (error: unknown) => void): void {
    if (isHttp2(this.#response)) checkHttp2Head(head);
    this.#head = head;
    void Promise.resolve().then(() => {
      try {
        this.#flush();
      } catch (error) {
        fail(error);
      }
    });
  }

  write(chunk: Buffer): boolean {
    if (this.#head && !this.#piece) {
      this.#piece = chunk;
      return true;
    }
    this.#flush();
    return this.#body?.accept(chunk) ?? true;
  }

  whenTaken(callback: () => void): void {
    this.#response.once('close', callback);
  }

  hurry(timeout: number): void {
    this.#timeout.start(timeout);
  }

  end(): void {
    const head = this.#head;
    this.#head = null;
    if (!head) this.#body?.finish();
    else if (head.hasBody) this.#give(head, this.#piece ?? Buffer.alloc(0));
    else this.#give(head, null);
    freeRequest(this.#request);
  }

  #flush(): void {
    const head = this.#head;
    const piece = this.#piece;
    if (!head) return;
    this.#head = null;
    this.#piece = null;
    const body = new BodyStream({
      resume: () => {
        this.#timeout.stop();
        this.#reply?.resume();
      },
      leave: () => this.#reply?.leave(),
      onPiped: (destination) => {
        // a page may be long in coming: its head would be kept back until then
        if (destination === this.#response && !this.#response.headersSent && body.readableLength === 0)
          flushHead(this.#response, head);
      },
    });
    this.#body = body;
    if (piece) body.accept(piece);
    this.#give(head, head.hasBody ? body : null);
  }

  #give(head: ReplyHead, body: Buffer | BodyStream | null): void {
    this.#isGiven = true;
    if (!isGone(this.#response)) this.#framework.send(head, body);
  }

  cut(): void {
    this.#head = null;
    cutShort(this.#response);
    this.#body?.destroy();
  }

  /** What follows goes out by node's response object. */
  stepAside(): void {
    this.#isGiven = true;
    this.#framework.stepAside();
  }

  file(file: OutgoingFile, refused: Refused): void {
    this.stepAside();
    new NodeSink(this.#request, this.#response).file(file, refused);
  }

  answer(answer: OwnAnswer): void {
    this.#head = null;
    // a file that could not be sent has left the framework behind
    if (this.#isGiven) new NodeSink(this.#request, this.#response).answer(answer);
    else {
      this.#isGiven = true;
      // what is left of a body that has stalled would hold the connection
      const isLast = answer.statusCode === 408 && !isHttp2(this.#response);
      const headers = isLast ? { ...answer.headers, Connection: 'close' } : answer.headers;
      this.#framework.answer({ ...answer, headers });
      freeRequest(this.#request);
    }
  }
}
