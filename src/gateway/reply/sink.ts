/**
 * How a reply goes out: what every adapter has to be able to do.
 * This folder: what goes out: head, body, buffers, error pages, and a sink for each framework. reply.ts sends one reply.
 * It imports what its parent may.
 */
import type { OutgoingFile } from './handed-file.ts';
import type { OwnAnswer, ReplyHead } from './head.ts';

/** The reply, as its sink calls it. */
export interface SinkOwner {
  /** The client can take more. */
  resume(): void;
  /** Nobody waits for it any more. `reason`: what the log is told. */
  leave(reason?: Error): void;
  /** What was given cannot be sent. */
  giveUp(error: unknown): void;
}

/** How an adapter sends. The Reply calls `answer`, or `start`, `write`* and one of `end` and `cut`; then no more. */
export interface Sink {
  /** Called before all else: whom to tell of the client. */
  attach(reply: SinkOwner): void;
  /** Nothing was sent yet, not even a head that was given to `start`, and the client is there, as far as is known. */
  readonly nothingSent: boolean;
  /** What is wrong at once may be thrown, by `end` too; what goes wrong later is the reply's `giveUp`. */
  start(head: ReplyHead): void;
  /** False: the client has not taken all of it yet. `Reply.resume()` says when it has, unless the reply ends before. */
  write(chunk: Buffer): boolean;
  /** Calls back, once, when the client has all of an ended reply, or has gone. */
  whenTaken(callback: () => void): void;
  /** Until the client has caught up it has to take something every `timeout` ms, or it is taken for gone. */
  startSendTimeout(timeout: number): void;
  end(): void;
  /** Ends a reply that has begun in such a way that no client takes it for a whole one. */
  cut(error: Error): void;
  /** The gateway's own answer, in place of a reply. */
  answer(answer: OwnAnswer): void;
  /**
   * Nothing has been sent before. A body that errors, or of which the client takes nothing for `sendTimeout` ms (0: it may), is
   * destroyed.
   */
  file(file: OutgoingFile, sendTimeout: number): void;
  /** A header of the request by its name in lower case. */
  requestHeader(name: string): string | undefined;
}
