/**
 * What the sinks for node's servers share. Head and first piece are held until PHP's bytes that have arrived together are
 * read: most pages end with them, and go out whole, by one write and with a length.
 * This folder: replies by node's response object, bare or through a framework. It imports what its parent may.
 */
import type { OutgoingFile } from '../handed-file.ts';
import type { OwnAnswer, ReplyHead } from '../head.ts';
import type { Sink, SinkOwner } from '../sink.ts';
import { freeRequest, isGone, type NodeRequest, type NodeResponse, requestHeader } from './node-response.ts';

/** What follows it runs when the bytes that have arrived together are read. */
const soon = Promise.resolve();

export abstract class CoalescingSink implements Sink {
  protected readonly request: NodeRequest;
  protected readonly response: NodeResponse;
  protected reply: SinkOwner | null = null;
  #head: ReplyHead | null = null;
  #piece: Buffer | null = null;
  #hasBegun = false;
  #onClosed: (() => void)[] | null = null;

  constructor(request: NodeRequest, response: NodeResponse) {
    this.request = request;
    this.response = response;
  }

  /** @throws what the server cannot send, before anything is set. */
  protected abstract check(head: ReplyHead): void;
  /** A reply that goes on. */
  protected abstract begin(head: ReplyHead, piece: Buffer | null): void;
  /** False: the client has not taken all of it yet. */
  protected abstract more(chunk: Buffer): boolean;
  /** The end of a reply that was begun. */
  protected abstract finish(): void;
  /** All of a reply at once. */
  protected abstract sendWhole(head: ReplyHead, piece: Buffer | null): void;
  protected abstract breakOff(): void;
  protected abstract sendAnswer(answer: OwnAnswer): void;
  abstract startSendTimeout(timeout: number): void;
  abstract file(file: OutgoingFile, sendTimeout: number): void;

  /** What a response says of its head may be somebody else's word: @fastify/express puts its own there. */
  get nothingSent(): boolean {
    return !this.#hasBegun && !this.response.headersSent && !isGone(this.response);
  }

  requestHeader(name: string): string | undefined {
    return requestHeader(this.request, name);
  }

  attach(reply: SinkOwner): void {
    this.reply = reply;
  }

  start(head: ReplyHead): void {
    this.check(head);
    this.#head = head;
    // queueMicrotask() would make an AsyncResource for each page
    void soon.then(() => this.#flushHeld());
  }

  write(chunk: Buffer): boolean {
    if (this.#head && !this.#piece) {
      this.#piece = chunk;
      return true;
    }
    this.#flush();
    // written to a response that is gone, node's error would have no listener but the process
    return isGone(this.response) || this.more(chunk);
  }

  /** By one listener for all: node warns of the eleventh, and Koa 3 has seven of its own on a response. */
  whenTaken(callback: () => void): void {
    if (!this.#onClosed) {
      const callbacks: (() => void)[] = [];
      this.#onClosed = callbacks;
      this.response.once('close', () => {
        for (const call of callbacks) call();
      });
    }
    this.#onClosed.push(callback);
  }

  end(): void {
    const head = this.#head;
    this.#head = null;
    if (!head) this.finish();
    else if (!isGone(this.response)) this.sendWhole(head, this.#piece);
    freeRequest(this.request);
  }

  cut(): void {
    this.#head = null;
    this.breakOff();
  }

  answer(answer: OwnAnswer): void {
    this.#head = null;
    this.sendAnswer(answer);
    freeRequest(this.request);
  }

  #flushHeld(): void {
    try {
      this.#flush();
    } catch (error) {
      // node or a middleware refuses a head: thrown from here it would end the process
      this.reply?.giveUp(error);
    }
  }

  #flush(): void {
    const head = this.#head;
    const piece = this.#piece;
    if (!head) return;
    this.#head = null;
    this.#piece = null;
    if (isGone(this.response)) return;
    this.begin(head, piece);
    this.#hasBegun = true;
  }
}
