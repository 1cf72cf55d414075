/**
 * A body that is a stream belongs to its request from dispatch() on: it is listened to while the request waits, and
 * destroyed with it, sent or not. Else a file that cannot be opened ends the process, and one that is never read
 * keeps its descriptor.
 */
import { isUint8Array } from 'node:util/types';
import { isStream, isWebStream } from '../../arguments.ts';
import type { DispatchRequest } from '../dispatcher.ts';

/** A planned body, as far as it matters here. */
type Planned =
  | { readonly kind: 'bytes' }
  | { readonly kind: 'stream'; readonly stream: { readonly replayable: boolean } };

/**
 * Its pieces. A web stream's own iterator hears of return() only behind the piece that it waits for: where its source gives
 * no more, that would be never, and whoever fills it (a fetch(), a client's upload) would never be told to stop.
 */
export function iterate(source: AsyncIterable<Uint8Array | string>): AsyncIterator<Uint8Array | string> {
  if (!isWebStream(source)) return source[Symbol.asyncIterator]();
  const reader: ReadableStreamDefaultReader<Uint8Array | string> = source.getReader();
  return {
    async next() {
      let isOver = true;
      try {
        const { done, value } = await reader.read();
        isOver = done;
        return done ? { done, value: undefined } : { done, value };
      } finally {
        if (isOver) reader.releaseLock();
      }
    },
    async return() {
      const cancelled = reader.cancel();
      reader.releaseLock();
      await cancelled;
      return { done: true, value: undefined };
    },
  };
}

/** Calls `failed` with the error of a stream that fails before it has been read to its end. */
export function watchSource(body: unknown, failed: (error: unknown) => void): void {
  if (!isStream(body)) return;
  body.on('error', (error) => {
    if (!body.readableEnded) failed(error);
  });
}

/** All of the body can be sent once more; `planned` is null where the request was over before anybody looked at it. Never throws. */
export function isReplayable(planned: Planned | null, request: Partial<DispatchRequest>): boolean {
  if (planned !== null) return planned.kind === 'bytes' || planned.stream.replayable;
  try {
    const body: unknown = request?.body ?? '';
    return typeof body === 'string' || isUint8Array(body);
  } catch {
    return false;
  }
}

/** No more is wanted of its body. Never throws: else the request would never end. */
export function discardSource(request: Partial<DispatchRequest> | null | undefined): void {
  try {
    discard(request?.body);
  } catch {
    // A getter of the caller's: what it has to say concerns nobody any more.
  }
}

function discard(body: unknown): void {
  if (isStream(body)) {
    // A file that is still being opened may fail later, and has nobody to tell.
    body.on('error', () => undefined);
    // An HTTP request is its server's: destroyed, it takes the client's connection with it, and the answer to him.
    if (!('httpVersion' in body)) body.destroy();
  } else if (isWebStream(body) && !body.locked) {
    body.cancel().catch(() => undefined);
  }
}
