/** One connection in virtual time: what the pool holds at one end, what the model of PHP-FPM reads at the other. */
import type { ConnectionSocket } from '../../src/connection/socket/socket.ts';
import type { Loop, VirtualTime } from './time.ts';

type Listener = (error: NodeJS.ErrnoException) => void;

/** The server's end, as the model of PHP-FPM sees it. */
export interface ServerEnd {
  /** Bytes from the client; [] and `ended` once it has closed. */
  readonly received: Buffer[];
  readonly ended: boolean;
  /** Called when either changes. */
  onChange: () => void;
  send(bytes: Buffer): void;
  /** FIN: nothing more is sent; what comes is still taken. */
  finish(): void;
  /** The process has closed it or is gone: a reset where bytes were left unread, else a FIN, and writes fail. */
  drop(): void;
}

export class SimSocket implements ConnectionSocket, ServerEnd {
  destroyed = false;
  errored: Error | null = null;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  bytesWritten = 0;
  readonly received: Buffer[] = [];
  ended = false;
  onChange = (): void => {};
  /** The pool's reader. */
  receive: (bytes: Buffer, length: number) => void = () => {};
  readonly #time: VirtualTime;
  readonly #loop: Loop;
  /** One way, ms. */
  readonly #latency: number;
  readonly #ackDelay: () => number;
  readonly #listeners: Map<string, (Listener | (() => void))[]> = new Map();
  #paused = false;
  #held: (() => void)[] = [];
  /** The other end is closed, or gone. */
  dropped = false;
  #refuses = false;
  /** Until then the server's kernel sends no second small piece: the first is not acknowledged (Nagle's algorithm). */
  #acknowledgedAt = 0;
  #unsent: Buffer[] = [];
  /** 'answered' once the server has sent something; from our next write on our kernel may acknowledge late. */
  #goes: 'forth' | 'answered' | 'back and forth' = 'forth';

  /** `ackDelay`: ms that our kernel takes to acknowledge on a connection that has gone back and forth. */
  constructor(time: VirtualTime, loop: Loop, latency: number, ackDelay: () => number = () => 0) {
    this.#time = time;
    this.#loop = loop;
    this.#latency = latency;
    this.#ackDelay = ackDelay;
  }

  on(event: string, listener: Listener | (() => void)): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    const copy = Buffer.from(bytes);
    if (this.#goes === 'answered') this.#goes = 'back and forth';
    this.bytesWritten += copy.length;
    if (this.#refuses || (this.dropped && this.#latency === 0)) {
      const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
      if (done) this.#time.arrive(this.#time.now, () => done(error), this.#loop);
      else this.#fail(error);
      return true;
    }
    this.#time.at(this.#time.now + this.#latency, () => {
      if (this.dropped) {
        this.#reset();
        return;
      }
      // It acknowledges what has come before.
      this.#acknowledgedAt = 0;
      this.#sendRest();
      this.received.push(copy);
      this.onChange();
    });
    if (done) this.#time.arrive(this.#time.now, () => done(null), this.#loop);
    return true;
  }

  send(bytes: Buffer): void {
    const { now } = this.#time;
    if (now < this.#acknowledgedAt) {
      this.#time.at(this.#acknowledgedAt, () => {
        if (this.#time.now >= this.#acknowledgedAt) this.#sendRest();
      });
      this.#unsent.push(bytes);
      return;
    }
    const delay = this.#goes === 'back and forth' ? this.#ackDelay() : 0;
    if (this.#goes === 'forth') this.#goes = 'answered';
    if (delay > 0) this.#acknowledgedAt = now + 2 * this.#latency + delay;
    this.#sendNow(bytes);
  }

  #sendNow(bytes: Buffer): void {
    this.#arrive(() => this.receive(bytes, bytes.length));
  }

  #sendRest(): void {
    for (const bytes of this.#unsent.splice(0)) this.#sendNow(bytes);
  }

  /** What waits for an acknowledgement goes with it. */
  finish(): void {
    this.#sendRest();
    this.#arrive(() => this.#emit('end'));
  }

  drop(): void {
    if (this.dropped) return;
    this.dropped = true;
    if (this.received.length > 0) {
      this.#unsent = [];
      this.#reset();
    } else {
      this.finish();
    }
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#time.at(this.#time.now + this.#latency, () => {
      this.ended = true;
      this.onChange();
    });
    return this;
  }

  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const one of held) this.#arrive(one);
    return this;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  cork(): void {}
  uncork(): void {}
  ref(): void {}
  unref(): void {}

  #reset(): void {
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
    const arrived = (): void => {
      this.#refuses = true;
      this.#fail(error);
    };
    this.#time.arrive(this.#time.now + this.#latency, arrived, this.#loop);
  }

  #arrive(what: () => void): void {
    const deliver = (): void => {
      if (this.destroyed) return;
      if (this.#paused) this.#held.push(deliver);
      else what();
    };
    this.#time.arrive(this.#time.now + this.#latency, deliver, this.#loop);
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.destroyed) return;
    this.errored = error;
    this.#emit('error', error);
  }

  #emit(event: string, error: NodeJS.ErrnoException = new Error(event)): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(error);
  }
}
