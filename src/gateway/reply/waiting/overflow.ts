/**
 * What PHP sends of a reply that is more than its client and the memory take: through a file to the client, so that the worker
 * need not wait. When the client has caught up with it, the reply goes its usual way again.
 * This folder: what was taken from PHP and waits for its client. It imports what its parent may.
 */
import type { DispatchController } from '../../../pool/dispatcher.ts';
import { cutReason } from '../outcome.ts';
import type { Sink, SinkOwner } from '../sink.ts';
import { pieceCost, type ReplyBuffer } from './buffer.ts';
import { TempFile, type TempFileLimits } from './temp-file.ts';

/** Bytes in memory, pieces counted as they cost, that wait for the disk before PHP has to. */
const mostHeld = 256 * 1024;

/** The part of a sink that an overflow takes the place of. */
export type BodySink = Pick<Sink, 'write' | 'end' | 'cut'>;

/** The reply. */
export interface OverflowOwner extends SinkOwner {
  /** The client has all: what follows goes to the sink again. */
  caughtUp(): void;
  /** What went wrong where the reply itself may have been over for long. */
  reportLate(error: unknown): void;
}

interface Options {
  readonly tempFile: TempFileLimits;
  /** Milliseconds; 0: no limit. */
  readonly sendTimeout: number;
}

export class Overflow implements BodySink, SinkOwner {
  readonly #sink: Sink;
  readonly #reply: OverflowOwner;
  readonly #php: Pick<DispatchController, 'pause' | 'resume'>;
  /** What went to the client last before this. */
  readonly #backlog: ReplyBuffer;
  readonly #options: Options;
  #file: TempFile;
  /** Behind what is in the file. */
  #held: Buffer[] = [];
  /** Of what is held, and what is being written. */
  #cost = 0;
  #clientTakes = false;
  #phpWaits = false;
  #isWorking = false;
  #isOver = false;
  /** PHP has ended, in one way or another: this is what is left to do. */
  #finale: (() => void) | null = null;
  #hasFailed = false;

  constructor(
    sink: Sink,
    reply: OverflowOwner,
    php: Pick<DispatchController, 'pause' | 'resume'>,
    backlog: ReplyBuffer,
    options: Options,
  ) {
    this.#sink = sink;
    this.#reply = reply;
    this.#php = php;
    this.#backlog = backlog;
    this.#options = options;
    this.#file = new TempFile(options.tempFile);
    sink.whenTaken(() => this.#letGo());
  }

  /** The client has not taken all of what it was given. False: the disk has failed before. */
  begin(): boolean {
    if (this.#hasFailed || this.#isOver) return false;
    this.#file = new TempFile(this.#options.tempFile);
    this.#clientTakes = false;
    this.#sink.attach(this);
    return true;
  }

  /** It has PHP wait by itself. */
  write(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    this.#held.push(chunk);
    this.#cost += chunk.length + pieceCost;
    this.#steer();
    void this.#work();
    return false;
  }

  end(): void {
    this.#finish(() => this.#sink.end());
  }

  /** What PHP has sent before is the client's. */
  cut(error: Error): void {
    this.#finish(() => this.#sink.cut(error));
  }

  #finish(finale: () => void): void {
    if (this.#isOver) {
      finale();
      return;
    }
    this.#finale = finale;
    void this.#work();
  }

  resume(): void {
    this.#backlog.clear();
    this.#clientTakes = true;
    void this.#work();
  }

  leave(reason?: Error): void {
    this.#letGo();
    this.#reply.leave(reason);
  }

  giveUp(error: unknown): void {
    const hasEnded = this.#finale !== null;
    this.#letGo();
    if (!hasEnded) {
      this.#reply.giveUp(error);
      return;
    }
    this.#sink.cut(cutReason(error));
    this.#reply.reportLate(error);
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      while (!this.#isOver) {
        if (this.#clientTakes) {
          const piece = this.#file.isEmpty ? this.#fromMemory() : await this.#file.take();
          if (!piece) break;
          this.#give(piece);
        } else if (this.#held.length > 0 && !this.#file.isFull) await this.#store();
        else break;
      }
      this.#isWorking = false;
      if (this.#clientTakes && !this.#isOver) this.#emptied();
    } catch (error) {
      this.#isWorking = false;
      // else it is the file that was closed under its hands
      if (!this.#isOver) this.giveUp(error);
    }
  }

  #fromMemory(): Buffer | undefined {
    const piece = this.#held.shift();
    if (piece) {
      this.#cost -= piece.length + pieceCost;
      this.#steer();
    }
    return piece;
  }

  #give(piece: Buffer): void {
    // while the disk was asked
    if (this.#isOver) return;
    const { sendTimeout } = this.#options;
    this.#clientTakes = false;
    if (this.#sink.write(piece)) this.#clientTakes = true;
    else if (sendTimeout > 0) this.#sink.startSendTimeout(sendTimeout);
  }

  async #store(): Promise<void> {
    const bytes = Buffer.concat(this.#held);
    const cost = this.#cost;
    this.#held = [];
    const rest = await this.#file.put(bytes);
    if (this.#isOver) return;
    this.#cost -= cost;
    if (rest.length > 0) {
      this.#held.unshift(rest);
      this.#cost += rest.length + pieceCost;
    }
    const { failure } = this.#file;
    if (failure && !this.#hasFailed) {
      this.#hasFailed = true;
      this.#reply.reportLate(failure);
    }
    this.#steer();
  }

  #steer(): void {
    const mustWait = this.#file.isFull || this.#cost > mostHeld;
    if (mustWait === this.#phpWaits || this.#finale) return;
    this.#phpWaits = mustWait;
    if (mustWait) this.#php.pause();
    else this.#php.resume();
  }

  #emptied(): void {
    this.#file.close();
    if (this.#finale) {
      this.#finale();
      this.#isOver = true;
      return;
    }
    this.#sink.attach(this.#reply);
    this.#reply.caughtUp();
    if (this.#phpWaits) this.#php.resume();
    this.#phpWaits = false;
  }

  /** The client has all, or has gone. */
  #letGo(): void {
    this.#isOver = true;
    this.#held = [];
    this.#file.close();
  }
}
