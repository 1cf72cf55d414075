/**
 * What has come of a response and is not told yet. A response that is read whole is told behind the turn of I/O (see queue/deliveries.ts),
 * what is read of a longer one at once: who reads it may want to pause it.
 */
import type { Head } from '../../cgi/head.ts';
import { scriptHint } from '../../connection/evidence/hint.ts';
import type { Exchange } from '../../connection/exchange.ts';
import type { RequestTimes } from '../../errors.ts';
import type { EndRequest } from '../../protocol/record.ts';
import type { DispatchController, Ended } from '../dispatcher.ts';
import type { Caller } from './caller.ts';

/** The request, as far as it concerns its response. */
interface Receiver extends DispatchController {
  readonly caller: Caller;
  /** Nothing more is to be told. */
  readonly over: boolean;
  rawHeaders: readonly string[];
}

export class Received {
  /** Null: the response is not whole. */
  ended: Ended | null = null;
  #head: Head | null = null;
  #chunks: Buffer[] = [];
  #dropped = 0;

  end(
    { appStatus }: EndRequest,
    exchange: Exchange | null,
    attempts: number,
    server: string,
    times: RequestTimes,
  ): void {
    const stderr = exchange?.stderr ?? '';
    this.ended = {
      appStatus,
      reused: exchange?.reused ?? false,
      attempts,
      server,
      times,
      executed: 'yes',
      stderr,
      hint: stderr === '' ? '' : scriptHint(stderr, exchange?.script ?? ''),
    };
  }

  head(head: Head): void {
    this.#head = head;
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** Nobody wants it. Returns the bytes of all such. */
  drop(chunk: Buffer): number {
    this.#dropped += chunk.length;
    return this.#dropped;
  }

  /** Throws what a callback throws. */
  tell(receiver: Receiver): void {
    const head = this.#head;
    this.#head = null;
    const chunks = this.#chunks;
    if (chunks.length > 0) this.#chunks = [];
    if (head !== null && !receiver.over) {
      receiver.rawHeaders = head.rawHeaders;
      receiver.caller.onResponseStart(receiver, head);
    }
    for (const chunk of chunks) if (!receiver.over) receiver.caller.onResponseData(receiver, chunk);
  }
}
